"""C-MAPSS FD001: turbofan engines that run to failure, one snapshot of 21 sensors per flight.

    rows (unit, cycle, 3 settings, 21 sensors) -> Flight[...] per engine -> windows, snapshots

Split by engine: windows of one engine are nearly copies of each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CHANNELS = [
    "T2",
    "T24",
    "T30",
    "T50",
    "P2",
    "P15",
    "P30",
    "Nf",
    "Nc",
    "epr",
    "Ps30",
    "phi",
    "NRf",
    "NRc",
    "BPR",
    "farB",
    "htBleed",
    "Nf_dmd",
    "PCNfR_dmd",
    "W31",
    "W32",
]
UNITS = [
    "degR",
    "degR",
    "degR",
    "degR",
    "psia",
    "psia",
    "psia",
    "rpm",
    "rpm",
    "1",
    "psia",
    "pps/psi",
    "rpm",
    "rpm",
    "1",
    "1",
    "1",
    "rpm",
    "rpm",
    "lbm/s",
    "lbm/s",
]
LABELS = ("critical", "degrading", "healthy")
LENGTH = 30  # cycles
RATE_HZ = 1.0  # one snapshot per flight cycle, called a second
VALIDATION = range(65, 81)  # engines
SOURCE = "NASA PCoE C-MAPSS FD001, engines 1-64 to train and 65-80 to validate"
LICENCE = "US Government work"
_FILE = Path("cmapss") / "train_FD001_engines_1_80.txt"
_SENSORS = slice(5, 26)  # columns of a row
_HEALTHY_ABOVE, _CRITICAL_BELOW = 80, 30  # cycles that remain


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine's life until it failed."""

    number: int
    sensors: NDArray[np.float32]  # (cycles, 21)

    def label(self, cycle: int) -> str:
        """Name the state after a cycle, counted from 0, by the cycles that remain."""
        remaining = len(self.sensors) - 1 - cycle
        if remaining > _HEALTHY_ABOVE:
            return "healthy"
        return "critical" if remaining < _CRITICAL_BELOW else "degrading"

    def ends(self, step: int) -> range:
        """List the last cycles of its windows, `step` cycles apart."""
        return range(LENGTH - 1, len(self.sensors), step)

    def window(self, end: int) -> NDArray[np.float32]:
        """Cut the window (30, 21) that ends with a cycle."""
        return self.sensors[end - LENGTH + 1 : end + 1]


def engines(data: Path) -> list[Engine]:
    """Read every engine."""
    rows = np.loadtxt(data / _FILE)
    return [
        Engine(int(number), rows[rows[:, 0] == number, _SENSORS].astype(np.float32))
        for number in np.unique(rows[:, 0])
    ]


def windows(some: list[Engine], *, step: int = 1) -> Iterator[tuple[NDArray[np.float32], str]]:
    """Yield (window (30, 21), label)."""
    for engine in some:
        for end in engine.ends(step):
            yield engine.window(end), engine.label(end)


def folds(some: list[Engine], count: int) -> Iterator[tuple[list[Engine], list[Engine]]]:
    """Yield (train, judge) lists that share no engine."""
    for fold in range(count):
        judge = [engine for engine in some if engine.number % count == fold]
        yield [engine for engine in some if engine.number % count != fold], judge
