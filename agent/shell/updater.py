"""The updater as a process, and what it and the agent say to each other: agent/update/words.py.

    loop --queue--> writer thread --> updater
    loop <--queue-- reader thread <-- updater

The loop never waits for it: what it does not take in time is dropped, and retained messages come
again when it asks again. It may end as it likes, for all that it needs is on the disk.
"""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Full, Queue
from threading import Thread
from typing import IO, Final

from agent.memory import goes_first
from agent.models.pipe import Header, read_frame, write_frame
from agent.update.words import Begin

_WAITING: Final = 32  # messages: 4 MiB at the most
_END_S: Final = 5.0  # for it to end by itself
_COMMAND: Final = (sys.executable, "-P", "-m", "agent.update.child")  # -P: no modules from here


@dataclass(frozen=True, slots=True)
class UpdaterSaid:
    """A frame of the updater's."""

    life: int  # which updater
    header: Header
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpdaterEnded:
    """It has ended, as it should or not."""

    life: int
    code: int


class Updater:
    """At most one updater, in as many lives as it takes.

    Args:
        post: The loop's queue.
        dropped: Called for each message that it did not take in time.
    """

    def __init__(
        self, post: Callable[[UpdaterSaid | UpdaterEnded], None], dropped: Callable[[], None]
    ) -> None:
        self._post, self._dropped = post, dropped
        self._process: subprocess.Popen[bytes] | None = None
        self._frames: Queue[tuple[Header, bytes] | None] = Queue()
        self.life = 0

    @property
    def runs(self) -> bool:
        """Whether it was started and has not been seen to end."""
        return self._process is not None

    def start(self, begin: Begin) -> None:
        """Start it.

        Raises:
            OSError: there is no memory for it, or no process.
        """
        self.life += 1
        process = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own module
        goes_first(process.pid)
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        assert process.stdout is not None  # noqa: S101 - the same
        self._process, self._frames = process, Queue(_WAITING)
        self._frames.put(({"begin": begin.write().decode()}, b""))
        for run, arguments in (
            (_write, (process.stdin, self._frames)),
            (self._read, (process, process.stdout, self.life)),
        ):
            Thread(target=run, args=arguments, name="updater", daemon=True).start()

    def feed(self, topic: str, payload: bytes) -> None:
        """Let it hear a message."""
        if self._process is None:
            return
        try:
            self._frames.put_nowait(({"heard": topic}, payload))
        except Full:
            self._dropped()

    def ended(self, event: UpdaterEnded) -> bool:
        """Note that it is gone; false: it was an earlier one."""
        if event.life != self.life:
            return False
        self._process = None
        with suppress(Full):
            self._frames.put_nowait(None)
        return True

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(Full):
            self._frames.put_nowait(None)

    def _read(self, process: "subprocess.Popen[bytes]", stream: IO[bytes], life: int) -> None:
        with suppress(EOFError, ValueError, OSError):
            while True:
                header, content = read_frame(stream)  # type: ignore[arg-type] # a pipe
                self._post(UpdaterSaid(life, header, content))
        process.kill()  # it has closed its output, or makes no sense
        self._post(UpdaterEnded(life, process.wait()))
        stream.close()


def _write(stream: IO[bytes], frames: "Queue[tuple[Header, bytes] | None]") -> None:
    with suppress(OSError):  # it has gone; the reader notices
        while (frame := frames.get()) is not None:
            write_frame(stream, *frame)  # type: ignore[arg-type] # a pipe
    with suppress(OSError):
        stream.close()
