"""JPEG: segments one after the other, then pixels (ITU-T T.81, annex B).

Of the application segments stay JFIF (its thumbnail emptied), the colour profile, and Adobe's,
without which colours would be read wrongly.
"""

import re
import struct
from collections import Counter
from dataclasses import dataclass, field

from agent.core.errors import ImageError
from agent.core.image.exif import exif_of, read_exif

_START, _END, _SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP13, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF
_RESTARTS = range(0xD0, 0xD8)
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # not a stuffed 0, not a restart
_JFIF, _ADOBE, _PROFILE, _EXIF = b"JFIF\0", b"Adobe", b"ICC_PROFILE\0", b"Exif\0\0"
_JFIF_BYTES, _ADOBE_BYTES = 12, 12  # before JFIF's thumbnail; all of Adobe's
_NAMES = (  # marker, how it begins, what it is
    (_APP0, b"JFXX", "thumbnail"),
    (_APP1, b"http://ns.adobe.com/x", "XMP"),
    (_APP2, b"MPF\0", "further images"),
    (_APP13, b"Photoshop", "IPTC"),
    (_COMMENT, b"", "comment"),
)


@dataclass(slots=True)
class _Kept:
    """What will be written."""

    segments: list[bytes] = field(default_factory=list)
    front: int = 0  # how many must stay before an Exif block
    orientation: int = 1


def strip_jpeg(data: bytes, removed: Counter[str]) -> bytes:
    """Keep what shows the picture.

    Raises:
        ImageError: It is damaged.
    """
    kept = _Kept()
    place = 2
    scans = 0
    while (marker := _marker(data, place)) != _END:
        place = _skip_fill(data, place) + 2
        end = place + _length(data, place)
        if marker == _SCAN:
            scans += 1
            found = _MARKER_IN_SCAN.search(data, end)
            if found is None:
                raise _damaged("has no end")
            end = found.start()
        if _APP0 <= marker <= _APP15 or marker == _COMMENT:
            _sort(marker, data[place + 2 : end], kept, removed)
        else:
            kept.segments.append(bytes((0xFF, marker)) + data[place:end])
        place = end
    if not scans:
        raise _damaged("holds no picture")
    removed["trailing data"] += _skip_fill(data, place) + 2 < len(data)
    if exif := exif_of(kept.orientation):
        kept.segments.insert(kept.front, _segment(_APP1, _EXIF + exif))
    return b"".join([bytes((0xFF, _START)), *kept.segments, bytes((0xFF, _END))])


def _sort(marker: int, payload: bytes, kept: _Kept, removed: Counter[str]) -> None:
    if marker == _APP0 and payload.startswith(_JFIF) and len(payload) >= _JFIF_BYTES:
        removed["thumbnail"] += payload[_JFIF_BYTES : _JFIF_BYTES + 2] > b"\0\0"
        kept.front += not kept.segments
        kept.segments.append(_segment(marker, payload[:_JFIF_BYTES] + b"\0\0"))
    elif marker == _APP2 and payload.startswith(_PROFILE):
        kept.segments.append(_segment(marker, payload))
    elif marker == _APP14 and payload.startswith(_ADOBE) and len(payload) >= _ADOBE_BYTES:
        kept.segments.append(_segment(marker, payload[:_ADOBE_BYTES]))
    elif marker == _APP1 and payload.startswith(_EXIF):
        orientation = read_exif(payload[len(_EXIF) :], removed)
        kept.orientation = kept.orientation if kept.orientation != 1 else orientation
    else:
        named = (name for of, begin, name in _NAMES if of == marker and payload.startswith(begin))
        removed[next(named, "other")] += 1


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _marker(data: bytes, place: int) -> int:
    place = _skip_fill(data, place)
    if data[place : place + 1] != b"\xff" or place + 1 >= len(data):
        raise _damaged("is cut short, or a segment has a wrong length")
    marker = data[place + 1]
    if marker in (0, 1, _START) or marker in _RESTARTS:
        raise _damaged("has a marker where there is none")
    return marker


def _skip_fill(data: bytes, place: int) -> int:
    """Pass over the bytes FF that may stand before a marker's own."""
    while data[place : place + 2] == b"\xff\xff":
        place += 1
    return place


def _length(data: bytes, place: int) -> int:
    length = int.from_bytes(data[place : place + 2], "big")
    if length < 2 or place + length > len(data):  # noqa: PLR2004 - it counts its own two bytes
        raise _damaged("is cut short, or a segment has a wrong length")
    return length


def _damaged(what: str) -> ImageError:
    return ImageError(f"The JPEG {what}. Save it again with an image program.")
