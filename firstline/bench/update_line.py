"""A line to the broker for an updater without an agent: a session of its own."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from agent.update.line import Heard
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import Address, Event, Message, Online, Received, Session

_PATIENCE_S = 60.0


class SessionLine:
    """What `agent.update.line.Line` asks for, over a connection that nobody else uses."""

    def __init__(self, session: Session, events: "SimpleQueue[Event]") -> None:
        self._session = session
        self._events = events

    def watch(self, topics: Sequence[str]) -> None:
        """Subscribe."""
        self._session.watch(topics)

    def unwatch(self, topics: Sequence[str]) -> None:
        """Unsubscribe."""
        self._session.unwatch(topics)

    def hear(self, timeout_s: float) -> Heard | None:
        """Take the next message."""
        give_up_s = time.monotonic() + timeout_s
        while True:
            try:
                event = self._events.get(timeout=max(0.0, give_up_s - time.monotonic()))
            except Empty:
                return None
            if isinstance(event, Received):
                self._session.ack(event.receipt)
                return Heard(event.topic, event.payload)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish; while the broker is away it is lost."""
        with suppress(BrokerUnavailableError):
            self._session.publish(Message(topic, payload, retain=retain))


@contextmanager
def session_line(address: Address) -> Iterator[SessionLine]:
    """A line that is there, until the block ends.

    Raises:
        TimeoutError: there is no broker.
    """
    events: SimpleQueue[Event] = SimpleQueue()
    with Session(address, subscriptions=(), sink=events.put) as session:
        give_up_s = time.monotonic() + _PATIENCE_S
        while not isinstance(_next(events, give_up_s), Online):
            pass
        yield SessionLine(session, events)


def _next(events: "SimpleQueue[Event]", give_up_s: float) -> Event:
    try:
        return events.get(timeout=max(0.0, give_up_s - time.monotonic()))
    except Empty:
        raise TimeoutError("the broker does not answer") from None
