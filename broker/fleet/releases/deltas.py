"""Makes patches: the smallest of what the compressors of a board's Python can undo.

    new file, in records of 256 KiB --beside which bytes of the base, with which stride?--> records
                                      by measuring --> bz2 and lzma --> the shorter one

Weights that were trained on lie where they were. Where a header grew, all behind it moved by the
same distance, so two places of the base are compared: the same offset, and the same distance from
the end. Beside that a record may be the file's own bytes.
"""

import bz2
import lzma
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.wire.patches import HEAD, LZMA_DICTIONARY_BYTES, RECORD_BYTES, differences, to_planes
from broker.wire.release import Method

# Bytes after which a layout repeats: integers and floats, then the blocks of GGUF's Q4_0, Q4_1,
# Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K and Q6_K.
_STRIDES: Final = (1, 2, 4, 18, 20, 22, 24, 34, 84, 110, 144, 176, 210)
_SAME: Final = 0.98  # of a record's size, below which another way is worth a change
_FIRST_BYTES: Final = 4096
_AGAIN: Final = 16  # records after which all strides are tried anew
_LZMA_FILTERS: Final = [
    {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": LZMA_DICTIONARY_BYTES, "lc": 0, "pb": 0}
]


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch on the operator's disk."""

    method: Method
    path: Path

    @property
    def length(self) -> int:
        """In bytes."""
        return self.path.stat().st_size


def make(base: Path, new: Path, folder: Path) -> Patch:
    """Make the shortest patch that leads from a file to another one, in `folder`.

    Raises:
        OSError: a file cannot be read, or the disk is full.
    """
    made = {method: folder / f"{new.name}.{method}" for method in ("bz2", "lzma")}
    squeezed = bz2.BZ2Compressor(9)
    coded = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=_LZMA_FILTERS)
    with made["bz2"].open("wb") as first, made["lzma"].open("wb") as second:
        for record in records(base, new):
            first.write(squeezed.compress(record))
            second.write(coded.compress(record))
        first.write(squeezed.flush())
        second.write(coded.flush())
    patches: tuple[Patch, ...] = (Patch("bz2", made["bz2"]), Patch("lzma", made["lzma"]))
    best, other = sorted(patches, key=lambda each: each.length)
    other.path.unlink()
    return best


def records(base: Path, new: Path) -> Iterator[bytes]:
    """What a patch says, before it is compressed.

    Raises:
        OSError: a file cannot be read.
    """
    with base.open("rb") as old, new.open("rb") as file:
        ends = os.fstat(old.fileno()).st_size - os.fstat(file.fileno()).st_size
        at, number = 0, 0
        last = _Way(0, 0)
        # Where all has moved on, nothing of the base lies before the first bytes: they go alone.
        size = min(max(-ends, _FIRST_BYTES), RECORD_BYTES) if ends < 0 else RECORD_BYTES
        while data := file.read(size):
            size = RECORD_BYTES
            shifts = dict.fromkeys((last.shift, 0, ends))
            found: dict[_Way, bytes] = {}
            for shift in shifts:
                same = _read(old.fileno(), at + shift, len(data))
                if len(same) == len(data):
                    found[_Way(shift, 1)] = differences(data, same)
            last = _best(data, found, last if number % _AGAIN else _Way(last.shift, 0))
            stored = data if not last.stride else found[_Way(last.shift, 1)]
            planes = to_planes(stored, last.stride) if last.stride else stored
            yield HEAD.pack(len(data), last.stride, at + last.shift if last.stride else 0) + planes
            at, number = at + len(data), number + 1


@dataclass(frozen=True, slots=True)
class _Way:
    """How a record is told: from where in the base, seen from its own place, and in what planes."""

    shift: int
    stride: int  # 0: as it is


def _best(data: bytes, found: dict[_Way, bytes], last: _Way) -> _Way:
    """The way with the shortest outcome; the last one's stride, unless `last` has none."""
    if not found:
        return _Way(last.shift, 0)
    plain = {way: _cost(each) for way, each in found.items()}
    way = min(plain, key=lambda each: plain[each] * (1 if each.shift == last.shift else 1.02))
    if plain[way] > _cost(data):
        return _Way(last.shift, 0)
    strides = (last.stride,) if last.stride else _STRIDES
    costs = {stride: _cost(to_planes(found[way], stride)) for stride in strides}
    stride = min(costs, key=lambda each: costs[each])
    return _Way(way.shift, stride if costs[stride] < plain[way] * _SAME else 1)


def _cost(data: bytes) -> int:
    return len(zlib.compress(data, 1))


def _read(descriptor: int, at: int, length: int) -> bytes:
    return os.pread(descriptor, length, at) if at >= 0 else b""
