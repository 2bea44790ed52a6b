"""The updater's line to the broker: through the agent, over the pipes between them."""

import os
from collections.abc import Sequence
from queue import Empty, Queue
from threading import Lock, Thread
from typing import BinaryIO, Final

from agent.models.pipe import Header, read_frame, write_frame
from agent.update.line import Heard, LineClosedError
from broker.wire.document import Document

_WAITING: Final = 64  # messages that were brought and not taken; the agent drops what is more


class PipeLine:
    """See agent.update.line.Line. A thread of its own takes what comes, so the agent never waits.

    Args:
        asked: What the agent says. Without a buffer: the thread that waits for more holds the
            buffer's lock, and a process that ends then is aborted by Python.
        said: What it hears.
    """

    def __init__(self, asked: BinaryIO, said: BinaryIO) -> None:
        self._asked, self._said, self._lock = asked, said, Lock()
        self._heard: Queue[Heard | None] = Queue(_WAITING)

    def begin(self) -> Header:
        """The agent's first word; then listen.

        Raises:
            LineClosedError: it says nothing.
        """
        try:
            header, _ = read_frame(self._asked)
        except (EOFError, ValueError) as error:
            raise LineClosedError from error
        Thread(target=self._listen, daemon=True).start()
        return header

    def watch(self, topics: Sequence[str]) -> None:
        """See Line."""
        self._write({"watch": list(topics)})

    def unwatch(self, topics: Sequence[str]) -> None:
        """See Line."""
        if topics:
            self._write({"unwatch": list(topics)})

    def hear(self, timeout_s: float) -> Heard | None:
        """See Line."""
        try:
            heard = self._heard.get(timeout=max(timeout_s, 0.0))
        except Empty:
            return None
        if heard is None:
            raise LineClosedError
        return heard

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """See Line; the agent lets an updater ask for blocks, and for nothing else."""
        if retain:
            raise ValueError("what an updater says is not retained")
        self._write({"say": topic}, payload)

    def tell(self, word: str, document: Document) -> None:
        """Say something to the agent itself.

        Raises:
            LineClosedError: there is no agent any more.
        """
        self._write({word: document.write().decode()})

    def _write(self, header: Header, content: bytes = b"") -> None:
        try:
            with self._lock:
                write_frame(self._said, header, content)
        except OSError as error:
            raise LineClosedError from error

    def _listen(self) -> None:
        try:
            while True:
                header, content = read_frame(self._asked)
                if isinstance(topic := header.get("heard"), str):
                    self._heard.put(Heard(topic, content))
        except (EOFError, ValueError, OSError):
            # Whatever it is at: the next agent's updater will be at the same files.
            os._exit(1)
