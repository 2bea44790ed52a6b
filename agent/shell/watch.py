"""Looks how the board fares, and has the agent work accordingly."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.core.pressure import Conditions, Measures, measures

_PAUSE_S = 10.0  # between two looks: a temperature takes longer to change
_CALM_S = 60.0  # what was begun because of heat lasts that long: a new child costs a load

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class BoardWatch:
    """The senses of the loop. Owned by it, used by nobody else."""

    sense: Callable[[], Conditions]
    throttle_c: float  # from this temperature on the board is hot
    changed: Callable[[Measures], None]
    counters: Counter[str]
    now_s: Callable[[], float] = time.monotonic
    conditions: Conditions = field(default_factory=Conditions)
    taken: Measures = field(default_factory=Measures)
    _next_s: float = 0.0
    _hot_until_s: float = 0.0

    def look(self) -> None:
        """Look, if it is time to, and tell of measures that are new."""
        now_s = self.now_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _PAUSE_S
        self.conditions = self.sense()
        found = measures(self.conditions, self.taken, throttle_c=self.throttle_c)
        if found.hot:
            self._hot_until_s = now_s + _CALM_S
        elif now_s < self._hot_until_s:
            found = Measures(hot=True, costly=found.costly)
        if found != self.taken:
            self._note(found)
            self.taken = found
            self.changed(found)

    def _note(self, found: Measures) -> None:
        self.counters["board_hot"] += found.hot > self.taken.hot
        self.counters["board_costly"] += found.costly > self.taken.costly
        heat = "hot, engines work with half their threads" if found.hot else "cool enough"
        cost = "asking is costly" if found.costly else "asking costs nothing"
        _log.warning("the board is %s; %s: %s", heat, cost, self.conditions)
