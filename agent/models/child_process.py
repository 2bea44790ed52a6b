"""The engine child as a process: start it, say a frame, hear one, end it."""

import contextlib
import logging
import select
import subprocess
from collections.abc import Sequence
from typing import IO, NoReturn

from agent.memory import goes_first
from agent.models.model import ModelError
from agent.models.pipe import Header, read_frame, write_frame

_STOP_S = 0.5  # to end by itself; its memory is needed

_log = logging.getLogger(__name__)


class PackageRefusedError(ModelError):
    """The child refuses the model package, or the question; starting it again cannot help."""


class ChildEndedError(ModelError):
    """The child died; another may live."""


class ChildProcess:
    """A running child. It ends with us, even when we are killed: its input then closes."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        goes_first(self._process.pid)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def say(self, header: Header, content: bytes) -> None:
        """Send a frame.

        Raises:
            ChildEndedError: nobody reads it.
        """
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            write_frame(self._process.stdin, header, content)  # type: ignore[arg-type]
        except OSError as error:
            self._fail("the engine child has gone", error)

    def hear(self, timeout_s: float) -> Header | None:
        """Wait for a frame; None when there was none in time, and then the child is ended.

        Raises:
            PackageRefusedError: the child says that it cannot.
            ChildEndedError: it ended, or makes no sense.
        """
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        stream = self._process.stdout
        if not select.select([stream], [], [], timeout_s)[0]:
            self.kill()
            return None
        try:
            header, _ = read_frame(stream)  # type: ignore[arg-type]
        except (EOFError, ValueError, OSError) as error:
            self._fail("the engine child ended", error)
        if "refused" in header:
            raise PackageRefusedError(str(header["refused"]))
        return header

    def stop(self) -> None:
        """End it; its memory returns to the system."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                _close(stream)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def interrupt(self) -> None:
        """Have it end at once, from any thread; who waits for it notices, and counts it."""
        self._process.kill()

    def kill(self) -> int:
        """End it at once; give its exit code."""
        self._process.kill()
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                _close(stream)
        return code

    def _fail(self, what: str, error: Exception) -> NoReturn:
        code = self.kill()
        _log.warning("%s (exit code %s)", what, code)
        raise ChildEndedError(f"{what} (exit code {code})") from error


def _close(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # a dead child's pipe cannot be flushed
        stream.close()
