"""A board's line to the broker that notes what it asks for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from agent.update.line import Heard
from broker.wire.session import Address
from firstline.bench import update_line

PATIENCE_S = 60.0


class NotedLine:
    """A line, and the topics that were watched on it."""

    def __init__(self, line: update_line.SessionLine) -> None:
        self._line = line
        self.asked: list[str] = []  # topics, in order

    def watch(self, topics: Sequence[str]) -> None:
        self.asked += topics
        self._line.watch(topics)

    def unwatch(self, topics: Sequence[str]) -> None:
        self._line.unwatch(topics)

    def hear(self, timeout_s: float) -> Heard | None:
        return self._line.hear(timeout_s)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._line.say(topic, payload, retain=retain)


@contextmanager
def noted_line(address: Address) -> Iterator[NotedLine]:
    """A line that is there, until the block ends."""
    with update_line.session_line(address) as line:
        yield NotedLine(line)
