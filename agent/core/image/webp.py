"""WebP: RIFF chunks, those of an animation's frames one level deeper (RFC 9649, section 2)."""

import struct
from collections import Counter
from collections.abc import Iterator

from agent.core.errors import ImageError
from agent.core.image.exif import exif_of, read_exif

_HEAD_BYTES = 12  # RIFF, size, WEBP
_CHUNK_HEAD_BYTES = 8
_FRAME_HEAD_BYTES = 16
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_PICTURE = frozenset((b"VP8 ", b"VP8L", b"ANMF"))
_KEPT = _PICTURE | {b"VP8X", b"ALPH", b"ANIM", b"ICCP"}
_IN_FRAME = frozenset((b"VP8 ", b"VP8L", b"ALPH"))
_NAMES = {b"XMP ": "XMP"}


def strip_webp(data: bytes, removed: Counter[str]) -> bytes:
    """Keep what shows the picture.

    Raises:
        ImageError: It is damaged.
    """
    size = int.from_bytes(data[4:8], "little")
    end = _CHUNK_HEAD_BYTES + size
    if data[:4] != b"RIFF" or end > len(data):
        raise _damaged("is cut short, or has a wrong size")
    removed["trailing data"] += end < len(data)
    orientation = 1
    kept: list[tuple[bytes, bytes]] = []
    for kind, payload in _chunks(data[_HEAD_BYTES:end]):
        if kind == b"EXIF":
            orientation = read_exif(payload.removeprefix(b"Exif\0\0"), removed)
        elif kind in _KEPT:
            kept.append((kind, _frame(payload, removed) if kind == b"ANMF" else payload))
        else:
            removed[_NAMES.get(kind, "other")] += 1
    if not any(kind in _PICTURE for kind, _ in kept):
        raise _damaged("holds no picture")
    return _written(kept, exif_of(orientation))


def _written(kept: list[tuple[bytes, bytes]], exif: bytes) -> bytes:
    chunks = []
    for kind, payload in kept:
        changed = payload
        if kind == b"VP8X" and payload:
            flags = payload[0] & ~(_EXIF_FLAG | _XMP_FLAG) | (_EXIF_FLAG if exif else 0)
            changed = bytes((flags,)) + payload[1:]
        chunks.append(_packed(kind, changed))
    if exif and kept[0][0] == b"VP8X":  # the simple form has no place for it
        chunks.append(_packed(b"EXIF", exif))
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _frame(payload: bytes, removed: Counter[str]) -> bytes:
    pieces = [payload[:_FRAME_HEAD_BYTES]]
    for kind, inner in _chunks(payload[_FRAME_HEAD_BYTES:]):
        if kind in _IN_FRAME:
            pieces.append(_packed(kind, inner))
        else:
            removed["other"] += 1
    return b"".join(pieces)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(data):
        start = place + _CHUNK_HEAD_BYTES
        length = int.from_bytes(data[place + 4 : start], "little")
        if start + length > len(data):
            raise _damaged("is cut short, or a chunk has a wrong length")
        yield data[place : place + 4], data[start : start + length]
        place = start + length + length % 2


def _packed(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def _damaged(what: str) -> ImageError:
    return ImageError(f"The WebP {what}. Save it again with an image program.")
