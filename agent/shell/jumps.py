"""A machine's clock that is set is counted and told; what waits keeps its time."""

import logging
from collections import Counter

from agent.store.clock import DeviceClock

CLOCK_JUMPS = "clock_jumps"

_log = logging.getLogger(__name__)


def look_at_the_clock(clock: DeviceClock, counters: Counter[str]) -> None:
    """See whether it was set."""
    if jump_s := clock.jump_s():
        counters[CLOCK_JUMPS] += 1
        _log.warning("the clock was set by %+.0f s; what waits keeps its time", jump_s)
