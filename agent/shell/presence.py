"""What the fleet may know of a device: that it is there, its versions, its counters. No content.

The session number rises at each start and stands in the birth and in the will, so that a will which
comes late is seen to be of an earlier life. The device hears its own state, and tells it again when
another one stands in its place: such a will, or what somebody forged.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from broker.wire.session import Message

_PAUSE_S = 10.0  # between two refreshes, however much changes
_SETTLED_S = 2.0  # after which no state of ours is under way any more: not even the last will


@dataclass(slots=True, kw_only=True)
class Presence:
    """Keeps a device's retained state up to date."""

    topic: str
    session: int
    about: dict[str, str]  # versions and the like
    counters: Counter[str]
    _announced: str = ""
    _next_s: float = 0.0
    _settled_s: float = 0.0
    _overwritten: bool = False

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
        now_s = time.monotonic()
        self._announced, self._overwritten = state, False
        self._next_s, self._settled_s = now_s + _PAUSE_S, now_s + _SETTLED_S

    def hear(self, state: bytes) -> None:
        """Take note of what the broker holds as our state."""
        if state == self._announced.encode():
            return
        self._overwritten = True
        if time.monotonic() >= self._settled_s:
            self.counters["states_overwritten"] += 1

    def refresh(self, publish: Callable[[Message], int]) -> None:
        """Publish the state if it has changed since the last time, or was overwritten.

        Raises:
            BrokerUnavailableError: offline.
        """
        due = self._announced and time.monotonic() >= self._next_s
        if due and (self._overwritten or self._state() != self._announced):
            self.announce(publish)

    def _state(self) -> str:
        known = {name: count for name, count in sorted(self.counters.items()) if count}
        state = {"session": self.session, "online": True, **self.about, "counters": known}
        return json.dumps(state)
