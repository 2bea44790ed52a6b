"""A patch: how to make a file from another one, so that a board needs little memory for it.

    patch  = records, compressed as a whole with bz2 or lzma
    record = length | stride | base offset | that many bytes, in planes

A record's bytes are added to the base's at its offset, byte by byte modulo 256; with stride 0 they
are the file's own. Weights that were trained on differ little from what they were, at the same
place: the differences are small numbers, where the bytes themselves look like noise. Weights have a
layout that repeats (4 bytes of a float, 34 of a Q8_0 block), so bytes that play the same part are
put side by side: plane n has those at n, n + stride, n + 2 * stride ...
"""

import struct
from typing import Final

from broker.wire.release import BLOCK_BYTES

RECORD_BYTES: Final = 2 * BLOCK_BYTES  # the longest
HEAD: Final = struct.Struct(">IBQ")
LZMA_DICTIONARY_BYTES: Final = 1 << 20
LZMA_MEMORY_BYTES: Final = 4 << 20  # that a board gives its decoder


def differences(new: bytes, base: bytes) -> bytes:
    """`new` minus `base`, byte by byte modulo 256. Both have one length."""
    signs, rest = _masks(len(new))
    left, right = int.from_bytes(new), int.from_bytes(base)
    found = ((left | signs) - (right & rest)) ^ ((left ^ ~right) & signs)
    return found.to_bytes(len(new))


def sums(differences: bytes, base: bytes) -> bytes:
    """`differences` plus `base`: undoes the above."""
    signs, rest = _masks(len(base))
    left, right = int.from_bytes(differences), int.from_bytes(base)
    found = ((left & rest) + (right & rest)) ^ ((left ^ right) & signs)
    return found.to_bytes(len(base))


def to_planes(data: bytes, stride: int) -> bytes:
    """Put side by side what is `stride` bytes apart."""
    return b"".join(data[plane::stride] for plane in range(stride))


def from_planes(planes: bytes, stride: int) -> bytes:
    """Put back."""
    found, at = bytearray(len(planes)), 0
    for plane in range(stride):
        length = len(range(plane, len(planes), stride))
        found[plane::stride] = planes[at : at + length]
        at += length
    return bytes(found)


def _masks(length: int) -> tuple[int, int]:
    # Each byte's highest bit is added apart, so that none carries into its neighbour.
    return int.from_bytes(b"\x80" * length), int.from_bytes(b"\x7f" * length)
