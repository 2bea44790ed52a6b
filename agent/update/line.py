"""What an update needs of the device's one connection, whoever holds it.

The updater is a process of its own, and the agent's session brings and takes for it: a certificate
is good for one connection. Tests and benches put a session of their own behind the same line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, retained or not. Nothing of it is to be believed until it is verified."""

    topic: str
    payload: bytes = field(repr=False)


class LineClosedError(Exception):
    """The agent has gone; so must we."""


class Line(Protocol):
    """Topics come and go; what is retained on a new one comes at once."""

    def watch(self, topics: Sequence[str]) -> None:
        """Hear these from now on; again for one that is watched: what is retained comes again.

        Raises:
            LineClosedError: there is no agent any more.
        """

    def unwatch(self, topics: Sequence[str]) -> None:
        """Hear no more of these.

        Raises:
            LineClosedError: there is no agent any more.
        """

    def hear(self, timeout_s: float) -> Heard | None:
        """Wait for a message; None if there was none in time.

        Raises:
            LineClosedError: there is no agent any more.
        """

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish; while the broker is away it is lost, and who needs it says it again.

        Raises:
            LineClosedError: there is no agent any more.
        """
