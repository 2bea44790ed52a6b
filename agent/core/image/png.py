"""PNG: chunks with a length, a type and a checksum (PNG, third edition, section 5)."""

import struct
import zlib
from collections import Counter

from agent.core.errors import ImageError
from agent.core.image.exif import exif_of, read_exif

_SIGNATURE_BYTES = 8
_AROUND = 12  # length, type and checksum of a chunk
# What a decoder needs: the picture, its colours, its size on paper, its frames.
_NEEDED = b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST pHYs cICP mDCV cLLI"
_KEPT = frozenset((_NEEDED + b" acTL fcTL fdAT").split())
_NAMES = {b"tIME": "time", b"tEXt": "comment", b"zTXt": "comment", b"iTXt": "comment"}
_XMP = b"XML:com.adobe.xmp\0"


def strip_png(data: bytes, removed: Counter[str]) -> bytes:
    """Keep what shows the picture.

    Raises:
        ImageError: It is damaged.
    """
    kept = [data[:_SIGNATURE_BYTES]]
    types: list[bytes] = []
    orientation = 1
    place = _SIGNATURE_BYTES
    while not types or types[-1] != b"IEND":
        kind, payload, end = _chunk(data, place)
        if kind in _KEPT:
            if zlib.crc32(kind + payload) != int.from_bytes(data[end - 4 : end], "big"):
                raise _damaged("has a wrong checksum")
            types.append(kind)
            kept.append(data[place:end])
        elif kind == b"eXIf":
            orientation = read_exif(payload, removed)
        else:
            removed["XMP" if payload.startswith(_XMP) else _NAMES.get(kind, "other")] += 1
        place = end
    if types[0] != b"IHDR" or b"IDAT" not in types:
        raise _damaged("holds no picture")
    removed["trailing data"] += place < len(data)
    if exif := exif_of(orientation):
        kept.insert(2, _packed(b"eXIf", exif))  # behind IHDR
    return b"".join(kept)


def _chunk(data: bytes, place: int) -> tuple[bytes, bytes, int]:
    """Give the chunk's type, what it holds, and where the next one begins."""
    length = int.from_bytes(data[place : place + 4], "big")
    end = place + length + _AROUND
    if end > len(data):
        raise _damaged("is cut short, or a chunk has a wrong length")
    return data[place + 4 : place + 8], data[place + 8 : end - 4], end


def _packed(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def _damaged(what: str) -> ImageError:
    return ImageError(f"The PNG {what}. Save it again with an image program.")
