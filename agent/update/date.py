"""What time it is at least, for a board whose clock may say anything.

    the key bundle's begin    signed by the fleet's root, renewed each month
    the floor                 the latest time in signed metadata that this board took
    the machine's clock       as a worker's sealed date corrects it, if one ever did

The latest of the three. The first two cannot be ahead of the truth, so a clock that is 60 days slow
does not make a replay of 60 days ago young. A clock that is 400 days ahead makes everything look
expired; the agent then asks a worker for the date, and the answer corrects it.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Date:
    """Where the time comes from.

    Args:
        made_s: The key bundle's begin, Unix time.
        clock_s: The machine's clock, Unix time.
        offset_s: What a worker told: its clock minus ours, seconds; 0: nobody did.
    """

    made_s: float
    clock_s: Callable[[], float]
    offset_s: float = 0.0

    def at_least_s(self, signed_s: float) -> float:
        """Unix time, seconds.

        Args:
            signed_s: The latest time in signed metadata that this board took.
        """
        return max(self.made_s, signed_s, self.clock_s() + self.offset_s)
