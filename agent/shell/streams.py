"""Standard input as input, one question a line; standard output as output, one answer a line."""

import os
import sys
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import BinaryIO, TextIO

from agent.errors import OutputUnavailableError
from agent.shell.events import Arrived, Exhausted, delivery_json
from agent.stages import Delivery


class StreamInput:
    """Puts each line of a stream into the loop's queue.

    Args:
        stream: Lines; blank ones are passed over.
        task: The task that the lines are for.
        sink: The loop's queue.
    """

    def __init__(
        self, stream: BinaryIO, *, task: str, sink: Callable[[Arrived | Exhausted], None]
    ) -> None:
        self._stream, self._task, self._sink = stream, task, sink
        self._run = os.urandom(8).hex()  # the same line of another run is another question

    def start(self) -> None:
        """Read on a thread of its own; a daemon, because a read cannot be interrupted."""
        Thread(target=self._read_all, name="standard-input", daemon=True).start()

    def scan(self) -> None:
        """Nothing to look for."""

    def stop(self) -> None:
        """Nothing to end."""

    def _read_all(self) -> None:
        for number, line in enumerate(self._stream, start=1):
            data = line.rstrip(b"\r\n")
            if data.strip():
                self._sink(self._arrived(number, data))
        self._sink(Exhausted("standard input"))

    def _arrived(self, number: int, data: bytes) -> Arrived:
        source = f"line {number}"
        read, refused = partial(_read, data), partial(_refuse, source)
        return Arrived(self._task, source, f"{self._run}:{number}", read, _taken, refused)


class StreamOutput:
    """Writes each answer as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def deliver(self, delivery: Delivery) -> None:
        """Write the answer.

        Raises:
            OutputUnavailableError: nobody reads any more.
        """
        try:
            self._stream.write(delivery_json(delivery) + "\n")
            self._stream.flush()
        except OSError as error:
            raise OutputUnavailableError(f"standard output: {error.strerror}") from error


def _read(data: bytes, limit_bytes: int) -> bytes:
    return data[:limit_bytes]


def _taken() -> None:
    """A line cannot be read twice, so there is nothing to remove."""


def _refuse(source: str, error: Exception) -> None:
    sys.stderr.write(f"{source}: {error}\n")
