"""What the fleet may know of a device: that it is there, its versions, its counters. No content.

The session number rises at each start and stands in the birth and in the will, so that a will which
comes late is seen to be of an earlier life.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from broker.wire.session import Message

_PAUSE_S = 10.0  # between two refreshes, however much changes


@dataclass(slots=True, kw_only=True)
class Presence:
    """Keeps a device's retained state up to date."""

    topic: str
    session: int
    about: dict[str, str]  # versions and the like
    counters: Counter[str]
    _announced: str = ""
    _next_s: float = 0.0

    def will(self) -> Message:
        """What the broker publishes when the device vanishes."""
        state = {"session": self.session, "online": False}
        return Message(self.topic, json.dumps(state).encode(), retain=True)

    def announce(self, publish: Callable[[Message], int]) -> None:
        """Publish the state.

        Raises:
            BrokerUnavailableError: offline.
        """
        state = self._state()
        publish(Message(self.topic, state.encode(), retain=True))
        self._announced = state
        self._next_s = time.monotonic() + _PAUSE_S

    def refresh(self, publish: Callable[[Message], int]) -> None:
        """Publish the state if it has changed since the last time.

        Raises:
            BrokerUnavailableError: offline.
        """
        due = self._announced and time.monotonic() >= self._next_s
        if due and self._state() != self._announced:
            self.announce(publish)

    def _state(self) -> str:
        known = {name: count for name, count in sorted(self.counters.items()) if count}
        state = {"session": self.session, "online": True, **self.about, "counters": known}
        return json.dumps(state)
