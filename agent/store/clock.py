"""The device's own time: it goes on evenly, whatever becomes of the machine's clock.

Deadlines and pauses are kept in it, so a clock that is set forward by a year ends no wait, and one
that is set back makes none longer. A board without a battery starts at any date and is corrected
while questions wait. What the worker must believe is sealed with the machine's clock instead.
"""

import time
from collections.abc import Callable

from agent.store.outbox import Outbox

_CORRECTION = "clock_correction_s"  # our time minus the machine's; outlives a restart
_JUMP_S = 2.0  # less than this is a clock that is made right slowly, and is followed


def since_boot_s() -> float:
    """Seconds since the machine started, those asleep included; nobody sets it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class DeviceClock:
    """Seconds that nobody sets. Use from one thread.

    Args:
        outbox: Remembers the difference to the machine's clock.
        wall_s: The machine's clock: Unix time, seconds.
        steady_s: Seconds since any moment.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        wall_s: Callable[[], float],
        steady_s: Callable[[], float] = since_boot_s,
    ) -> None:
        self._outbox, self._wall_s, self._steady_s = outbox, wall_s, steady_s
        self._correction_s = outbox.number(_CORRECTION)
        self._base_s = wall_s() + self._correction_s - steady_s()

    def now_s(self) -> float:
        """Now, seconds; Unix time unless the machine's clock was ever set."""
        return self._base_s + self._steady_s()

    def jump_s(self) -> float:
        """By how much the machine's clock was set since the last look; 0 if it was not.

        Raises:
            OutboxFullError: it cannot be noted now; the next look tells it again.
        """
        jump_s = self._wall_s() + self._correction_s - self.now_s()
        if abs(jump_s) < _JUMP_S:
            self._base_s += jump_s
            return 0.0
        self._outbox.remember(_CORRECTION, self._correction_s - jump_s)
        self._correction_s -= jump_s
        return jump_s
