"""What the loop stands between: where questions come from, and where they go."""

from collections.abc import Sequence
from typing import Protocol

from broker.wire.session import Message, Receipt


class Input(Protocol):
    """A source of questions, on threads of its own."""

    def start(self) -> None:
        """Begin to put events into the loop's queue."""

    def scan(self) -> None:
        """Look for what went unnoticed."""

    def stop(self) -> None:
        """End."""


class Link(Protocol):
    """The connection to the fleet's broker."""

    def publish(self, message: Message) -> int:
        """See broker.wire.session.Session."""

    def ack(self, receipt: Receipt) -> None:
        """See broker.wire.session.Session."""


class Wire(Protocol):
    """The same connection, for updates."""

    def publish(self, message: Message) -> int:
        """See broker.wire.session.Session."""

    def watch(self, topics: Sequence[str]) -> None:
        """See broker.wire.session.Session."""

    def unwatch(self, topics: Sequence[str]) -> None:
        """See broker.wire.session.Session."""
