"""The engine child, seen from the agent.

    draft(masked, domain) -> frame -> child -> frame -> Draft

The child starts when first needed. When it dies, another one gets the same question, once; when it
dies again and again, it is left alone for a while, and the cloud is asked.
"""

import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.core.bounds import Risks, Step
from agent.core.gate import Calibration
from agent.models.beside import beside
from agent.models.child_process import ChildEndedError, ChildProcess, PackageRefusedError
from agent.models.model import ModelError
from agent.models.pipe import Header
from agent.stages import Draft, Masked
from broker.package.profile import Profile
from broker.wire.payload import split

_START_S = 30.0  # a cold SD card reads onnxruntime slowly
_REFUSED_S = 60.0  # a broken package is not tried again at every question
_GRACE_S = 0.5  # for a child that stops itself at the deadline to say so
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0


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
        timeout_s: A draft that takes longer is given up; a child that cannot be, with it.
        unload_after_s: A child that has been idle for so long is ended; 0: never.
        profile: How the engine holds the weights: see agent/models/README.md.
        max_memory_bytes: Writable memory that the child may take; 0: what there is.
    """

    def __init__(  # noqa: PLR0913 - all of a child's limits, by name
        self,
        package: Path,
        *,
        threads: int = 1,
        timeout_s: float = 5.0,
        unload_after_s: float = 0.0,
        profile: Profile = "fast",
        max_memory_bytes: int = 0,
    ) -> None:
        module = ["-P", "-m", "agent.models.child"]  # -P: nothing from the current folder
        self._command = [sys.executable, *module, str(package)]
        self._package, self._threads = package, threads
        self._bearing = (profile, str(max_memory_bytes))
        self._timeout_s, self._unload_after_s = timeout_s, unload_after_s
        self._child: ChildProcess | None = None
        self._loaded: Loaded | None = None
        self._refusal: PackageRefusedError | None = None
        self._failures = 0  # one after the other
        self._not_before_s = 0.0  # monotonic
        self._asked_s = 0.0  # monotonic
        self.starts = 0
        self.crashes = 0  # how often a child ended that should not have

    @property
    def package(self) -> Path:
        """The model package's folder."""
        return self._package

    @property
    def threads(self) -> int:
        """How many threads the next answer may use."""
        return self._threads

    @property
    def pid(self) -> int | None:
        """The child's process id, while it runs."""
        return self._child.pid if self._child else None

    @property
    def refusal(self) -> str:
        """Why the package could not be loaded the last time; empty if it could."""
        return str(self._refusal or "")

    def load(self) -> Loaded:
        """Start the child if it does not run, and hear what it has loaded.

        Raises:
            PackageRefusedError: the package is broken, too large, or not for this engine.
            ModelError: the child did not start, or died too often to be started now.
        """
        if self._child is not None and self._loaded is not None:
            return self._loaded
        wait_s = self._not_before_s - time.monotonic()
        if wait_s > 0 and self._refusal is not None:
            raise self._refusal
        if wait_s > 0:
            raise ModelError(
                f"the engine child failed {self._failures} times in a row; "
                f"it may start again in {wait_s:.1f} s"
            )
        self.starts += 1
        self._asked_s = time.monotonic()
        words = [*self._command, str(self._threads), *self._bearing]
        self._child, self._refusal = ChildProcess(words), None
        try:
            self._loaded = _loaded(self._hear(_START_S))
        except PackageRefusedError as error:
            self.stop()
            self._refusal, self._not_before_s = error, time.monotonic() + _REFUSED_S
            raise
        return self._loaded

    def draft(self, masked: Masked, domain: str) -> Draft:
        """Answer a masked question.

        Raises:
            PackageRefusedError: the model cannot take such a question.
            ModelError: the child died twice, or took too long.
        """
        try:
            return self._ask(masked, domain)
        except ChildEndedError:  # perhaps not for this question's sake
            return self._ask(masked, domain)

    def calibration(self, domain: str) -> Calibration:
        """See LocalModel."""
        try:
            loaded = self.load()
        except ChildEndedError:
            loaded = self.load()
        if domain not in loaded.calibrations:
            known = ", ".join(sorted(loaded.calibrations))
            raise PackageRefusedError(f"{loaded.model} knows {known}, not {domain!r}")
        return loaded.calibrations[domain]

    def work_with(self, threads: int) -> None:
        """Use so many threads from the next answer on; a child that has others makes room."""
        if threads != self._threads:
            self._threads = threads
            self.stop()

    def rest(self) -> None:
        """End a child that has been idle for too long; its memory returns to the system."""
        idle_s = time.monotonic() - self._asked_s
        if self._child is not None and 0 < self._unload_after_s <= idle_s:
            self.stop()

    def stop(self) -> None:
        """End the child; its memory returns to the system."""
        child, self._child, self._loaded = self._child, None, None
        if child is not None:
            child.stop()

    def interrupt(self) -> None:
        """End the child at once, from any thread; whoever waits for it hears that it ended."""
        child = self._child
        if child is not None:
            child.interrupt()

    def _ask(self, masked: Masked, domain: str) -> Draft:
        model = self.load().model
        started_s = time.perf_counter()
        shape, content = split(masked.payload)
        question: Header = {
            "domain": domain,
            "kind": shape.kind,
            "channels": shape.channels,
            "rate_hz": shape.rate_hz,
            "patience_s": self._timeout_s,
        }
        said = self._exchange(question, content)
        self._failures = 0
        self._asked_s = time.monotonic()
        if "late" in said:
            raise ModelError(f"no answer within {self._timeout_s} s: {said['late']}")
        return Draft(
            answer=str(said["answer"]),
            score=_number(said["score"]),
            model=model,
            elapsed_ms=(time.perf_counter() - started_s) * 1e3,
            truncated=said["truncated"] is True,
            out_of_scope=said["out_of_scope"] is True,
            tokens=int(_number(said["tokens"])),
        )

    def _exchange(self, question: Header, content: bytes) -> Header:
        assert self._child is not None  # noqa: S101 - load() made it
        with beside(self._child.pid) if self._threads == 1 else nullcontext():
            try:
                self._child.say(question, content)
            except ChildEndedError:
                self._failed()
                raise
            return self._hear(self._timeout_s + _GRACE_S)

    def _hear(self, timeout_s: float) -> Header:
        assert self._child is not None  # noqa: S101 - load() made it
        try:
            said = self._child.hear(timeout_s)
        except ChildEndedError:
            self._failed()
            raise
        if said is None:
            self._failed()
            raise ModelError(f"the engine child did not answer within {timeout_s} s")
        return said

    def _failed(self) -> None:
        self._child = self._loaded = None
        self._failures += 1
        self.crashes += 1
        pause_s = _FIRST_PAUSE_S * 2.0 ** min(self._failures - 2, 10)
        if self._failures > 1:  # the first may try again at once
            self._not_before_s = time.monotonic() + min(pause_s, _LONGEST_PAUSE_S)


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
