"""The engine child, seen from the agent.

    draft(masked, domain) -> frame -> child -> frame -> Draft

The child starts when first needed and again after a crash. It ends with the agent, even a
killed one, because it reads from a pipe that then closes.
"""

import contextlib
import logging
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from agent.core.bounds import Risks, Step
from agent.core.gate import Calibration
from agent.models.model import ModelError
from agent.models.pipe import Header, read_frame, write_frame
from agent.stages import Draft, Masked
from broker.wire.payload import split

_START_S = 30.0  # a cold SD card reads onnxruntime slowly
_REFUSED_S = 60.0  # a broken package is not tried again at every question
_STOP_S = 5.0

_log = logging.getLogger(__name__)


class PackageRefusedError(ModelError):
    """The child refuses the model package, or the question; starting it again cannot help."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the child says of its package."""

    model: str  # name and version
    payload: str  # text, record or window
    calibrations: dict[str, Calibration]  # by domain


class Engine:
    """One model package in one child process. Use from one thread.

    Args:
        package: The model package's folder.
        threads: How many threads the engine may use.
        timeout_s: A draft that takes longer is given up, and the child with it.
    """

    def __init__(self, package: Path, *, threads: int = 1, timeout_s: float = 5.0) -> None:
        module = ["-P", "-m", "agent.models.child"]  # -P: nothing from the current folder
        self._command = [sys.executable, *module, str(package), str(threads)]
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._loaded: Loaded | None = None
        self._refusal: PackageRefusedError | None = None
        self._refused_until_s = 0.0  # monotonic
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """The child's process id, while it runs."""
        return self._child.pid if self._child else None

    def load(self) -> Loaded:
        """Start the child if it does not run, and hear what it has loaded.

        Raises:
            PackageRefusedError: the package is broken or not for this engine.
            ModelError: the child did not start.
        """
        if self._child is not None and self._loaded is not None:
            return self._loaded
        if self._refusal is not None and time.monotonic() < self._refused_until_s:
            raise self._refusal
        self.starts += 1
        self._child = subprocess.Popen(  # noqa: S603 - our own module
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            self._loaded = _loaded(self._hear(_START_S)[0])
        except PackageRefusedError as error:
            self._kill()
            self._refusal, self._refused_until_s = error, time.monotonic() + _REFUSED_S
            raise
        return self._loaded

    def draft(self, masked: Masked, domain: str) -> Draft:
        """Answer a masked question.

        Raises:
            PackageRefusedError: the model cannot take such a question.
            ModelError: the child crashed or took too long.
        """
        model = self.load().model
        started_s = time.perf_counter()
        shape, content = split(masked.payload)
        question: Header = {
            "domain": domain,
            "kind": shape.kind,
            "channels": shape.channels,
            "rate_hz": shape.rate_hz,
        }
        self._say(question, content)
        said, _ = self._hear(self._timeout_s)
        elapsed_ms = (time.perf_counter() - started_s) * 1e3
        return Draft(
            answer=str(said["answer"]),
            score=_number(said["score"]),
            model=model,
            elapsed_ms=elapsed_ms,
            truncated=said["truncated"] is True,
            out_of_scope=said["out_of_scope"] is True,
        )

    def calibration(self, domain: str) -> Calibration:
        """See LocalModel."""
        loaded = self.load()
        if domain not in loaded.calibrations:
            known = ", ".join(sorted(loaded.calibrations))
            raise PackageRefusedError(f"{loaded.model} knows {known}, not {domain!r}")
        return loaded.calibrations[domain]

    def stop(self) -> None:
        """End the child; its memory returns to the system."""
        if self._child is None:
            return
        child, self._child, self._loaded = self._child, None, None
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                _close(stream)
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _say(self, header: Header, content: bytes) -> None:
        assert self._child is not None  # noqa: S101 - load() made it
        assert self._child.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            write_frame(self._child.stdin, header, content)  # type: ignore[arg-type]
        except OSError as error:
            self._fail("the engine child has gone", error)

    def _hear(self, timeout_s: float) -> tuple[Header, bytes]:
        assert self._child is not None  # noqa: S101 - load() made it
        assert self._child.stdout is not None  # noqa: S101 - a pipe was asked for
        stream = self._child.stdout
        if not select.select([stream], [], [], timeout_s)[0]:
            self._kill()
            raise ModelError(f"the engine child did not answer within {timeout_s} s")
        try:
            header, content = read_frame(stream)  # type: ignore[arg-type]
        except (EOFError, ValueError, OSError) as error:
            self._fail("the engine child ended", error)
        if "refused" in header:
            raise PackageRefusedError(str(header["refused"]))
        return header, content

    def _fail(self, what: str, error: Exception) -> NoReturn:
        code = self._kill()
        _log.warning("%s (exit code %s); it starts again when needed", what, code)
        raise ModelError(f"{what} (exit code {code})") from error

    def _kill(self) -> int | None:
        if self._child is None:
            return None
        self._child.kill()
        child = self._child
        self.stop()
        return child.returncode


def _loaded(said: Header) -> Loaded:
    heads = said["heads"]
    assert isinstance(heads, dict)  # noqa: S101 - our own child wrote it
    calibrations = {domain: _calibration(head) for domain, head in heads.items()}
    return Loaded(str(said["model"]), str(said["payload"]), calibrations)


def _calibration(said: dict[str, Any]) -> Calibration:
    steps = (Step(float(score), int(kept), int(wrong)) for score, kept, wrong in said["risks"])
    return Calibration(
        tuple((float(score), float(chance)) for score, chance in said["knots"]),
        Risks(tuple(steps), int(said["samples"])),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _close(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # a dead child's pipe cannot be flushed
        stream.close()
