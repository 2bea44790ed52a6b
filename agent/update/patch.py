"""Makes a file from another one and a patch, in a few MiB of memory whatever their lengths.

The patch is vouched for as any content is. Even so nothing of it is trusted: what it makes is
never longer than the file that was promised, and counts for nothing until its digest is right.
"""

import bz2
import hashlib
import lzma
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from broker.wire.patches import (
    HEAD,
    LZMA_MEMORY_BYTES,
    RECORD_BYTES,
    from_planes,
    sums,
)
from broker.wire.release import Content, Method

_READ_BYTES: Final = 1 << 16


class PatchError(Exception):
    """The patch does not lead to the file; the file itself still can be brought."""


def apply(method: Method, patch: Path, base: Path, made: Path, wanted: Content) -> None:
    """Make a file and verify it; the disk has it when this returns.

    Raises:
        PatchError: the patch makes no sense, or makes another file.
        OSError: the disk failed.
    """
    hashed, length = hashlib.sha256(), 0
    with patch.open("rb") as source, base.open("rb") as old, made.open("wb") as file:
        stream = _Stream(_pieces(method, source.fileno()))
        while head := stream.take(HEAD.size, or_nothing=True):
            size, stride, at = HEAD.unpack(head)
            length += size
            if not 0 < size <= RECORD_BYTES or length > wanted.length:
                raise PatchError("it makes more than was promised, or nothing for ever")
            data = stream.take(size)
            if stride:
                same = os.pread(old.fileno(), size, at) if at < 1 << 62 else b""
                if len(same) < size:
                    raise PatchError("it reads beyond its base")
                data = sums(from_planes(data, stride), same)
            hashed.update(data)
            file.write(data)
        if hashed.hexdigest() != wanted.sha256:
            raise PatchError("it makes another file")
        file.flush()
        os.fsync(file.fileno())


class _Stream:
    """Bytes as they are asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._buffer = bytearray()

    def take(self, size: int, *, or_nothing: bool = False) -> bytes:
        """Exactly so many bytes, or none at the end."""
        while len(self._buffer) < size:
            piece = next(self._pieces, None)
            if piece is None:
                if or_nothing and not self._buffer:
                    return b""
                raise PatchError("it ends too early")
            self._buffer += piece
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found


def _pieces(method: Method, source: int) -> Iterator[bytes]:
    """What a patch holds, decompressed a little at a time: a bomb goes off in 64 KiB pieces."""
    decoder = (
        bz2.BZ2Decompressor()
        if method == "bz2"
        else lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY_BYTES)
    )
    try:
        while not decoder.eof:
            data = os.read(source, _READ_BYTES) if decoder.needs_input else b""
            if decoder.needs_input and not data:
                raise PatchError("it ends too early")
            yield decoder.decompress(data, _READ_BYTES)
    except (OSError, lzma.LZMAError, ValueError) as error:
        raise PatchError(f"it does not decompress: {error}") from None
    if decoder.unused_data or os.read(source, 1):
        raise PatchError("something follows its end")
