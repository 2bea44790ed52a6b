"""What devices and operators may know of a worker. Retained, signed by nobody: a hint only.

    {"session": 1700000000, "online": true, "capacity": 65, "load": 3, "domains": ["home"],
     "models": ["commands-large 1.0"], "away": [], "counters": {"answered": 7}}

A worker's name is new at each start, so one that has gone leaves nothing: its will and its last
word are the empty message, which also takes the retained one away (MQTT 5.0, section 3.3.1.3).
"""

import json
from collections import Counter
from collections.abc import Callable

from broker.wire.session import Message
from cloud_worker.models import Completer, Completers, Engine

_PAUSE_S = 3.0  # between two refreshes, however much changes
_EXPIRY_S = 3600  # the broker forgets a worker that it lost together with its will


class Presence:
    """Keeps a worker's retained presence up to date.

    Args:
        topic: Where.
        session: A number that is higher at each start.
        completers: What it can answer.
        accepted: How many questions are accepted for a model and not yet answered, at most.
    """

    def __init__(
        self,
        *,
        topic: str,
        session: int,
        completers: Completers,
        accepted: Callable[[Completer], int],
    ) -> None:
        self._topic = topic
        self._models = tuple(dict.fromkeys(completers.values()))
        self._accepted = accepted
        self._fixed = {
            "session": session,
            "online": True,
            "domains": sorted(completers),
            "models": sorted({completer.model for completer in completers.values()}),
        }
        self._told = b""
        self._told_s = 0.0

    def gone(self) -> Message:
        """The will, and the last word."""
        return Message(self._topic, b"", retain=True)

    def birth(self, load: int, counters: Counter[str], *, now_s: float) -> Message:
        """The presence as it is now."""
        known = {str(name): count for name, count in sorted(counters.items()) if count}
        away = {each for each in self._models if isinstance(each, Engine) and not each.ready()}
        state = {
            "capacity": sum(self._accepted(each) for each in self._models if each not in away),
            "load": load,
            "away": sorted({each.model for each in away}),
            "counters": known,
        }
        self._told = json.dumps(self._fixed | state).encode()
        self._told_s = now_s
        return Message(self._topic, self._told, retain=True, expiry_s=_EXPIRY_S)

    def refresh(self, load: int, counters: Counter[str], *, now_s: float) -> Message | None:
        """The presence if it is time to tell it again: it has changed, or will expire."""
        if now_s < self._told_s + _PAUSE_S:
            return None
        told, told_s = self._told, self._told_s
        message = self.birth(load, counters, now_s=now_s)
        if message.payload != told or now_s > told_s + _EXPIRY_S / 2:
            return message
        self._told_s = told_s
        return None
