"""A parser of bytes that come from outside, and the only errors that may come out of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Args:
        read: Parses bytes.
        allowed: Our own errors. Any other is a mistake of ours.
        seeds: Bytes that it takes, to begin from.
    """

    read: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> bool:
        """Parse; whether the bytes were taken."""
        try:
            self.read(data)
        except self.allowed:
            return False
        return True


def in_file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Have a parser of files read bytes, out of one and the same file."""

    def parse(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return parse
