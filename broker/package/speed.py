"""How fast a machine is, in two numbers that any Python can measure in a moment.

A model's time goes with one of them: small ones compute, large ones wait for their weights to come
from memory. Both are of one core. What a model took where it was released, times the quotient of
the two machines' numbers, is what it will take here.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_HASHED: Final = 4 << 20  # bytes, at once: in the cache of no small board, and it does not matter
_COPIED: Final = 24 << 20  # bytes: more than a board's caches hold
_ROUNDS: Final = 5  # the best counts: what disturbs only slows
_MB: Final = 1e6


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one core."""

    compute: float  # MB/s of BLAKE2b: 64-bit integer arithmetic, without special instructions
    memory: float  # MB/s copied: read and written count once

    def slower_than(self, other: "Speed") -> float:
        """How many times as long as on `other` a model takes here, at the most."""
        return max(other.compute / self.compute, other.memory / self.memory)


def measure() -> Speed:
    """Measure this machine; takes a tenth of a second on a fast one, and 48 MB meanwhile."""
    return Speed(_hashed_mb_per_s(), _copied_mb_per_s())


def _hashed_mb_per_s() -> float:
    data = bytes(_HASHED)
    best_s = min(_timed(lambda: hashlib.blake2b(data)) for _ in range(_ROUNDS))
    return round(_HASHED / _MB / best_s, 1)


def _copied_mb_per_s() -> float:
    source, target = bytearray(_COPIED), bytearray(_COPIED)

    def copy() -> None:
        memoryview(target)[:] = source

    copy()  # the pages come into being
    best_s = min(_timed(copy) for _ in range(_ROUNDS))
    return round(_COPIED / _MB / best_s, 1)


def _timed(action: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    action()
    return max(time.perf_counter() - started_s, 1e-9)
