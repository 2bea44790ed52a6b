"""A clock that somebody else can set while a program runs, for benches and tests.

The difference to the machine's clock lies in a file of 8 bytes that both sides have mapped, so a
jump is there at once, and outlives the program as it would on a real machine.
"""

import mmap
import struct
import time
from pathlib import Path

_DIFFERENCE = struct.Struct("=d")


class SetClock:
    """The machine's clock and a difference.

    Args:
        path: Where the difference lies; made if missing.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_DIFFERENCE.pack(0.0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _DIFFERENCE.size)

    def now_s(self) -> float:
        """Unix time by this clock, seconds."""
        (difference_s,) = _DIFFERENCE.unpack_from(self._map)
        return time.time() + float(difference_s)

    def set(self, difference_s: float) -> None:
        """Make it wrong by so many seconds; 0 makes it right."""
        _DIFFERENCE.pack_into(self._map, 0, difference_s)
