"""Exif: the few facts that count, and an Exif block that holds the orientation alone.

Exif is a small TIFF file: a header, then directories of 12-byte entries (TIFF 6.0, section 2).
"""

import struct
from collections import Counter

_HEADERS = {b"II*\0": "<", b"MM\0*": ">"}
_FIRST_DIRECTORY = 8
_ENTRY_BYTES = 12
_ORIENTATION, _GPS = 0x0112, 0x8825  # Exif 2.32, sections 4.6.4 and 4.6.3
_SHORT = 3
_UPRIGHT = 1
_ORIENTATIONS = range(1, 9)


def read_exif(tiff: bytes, removed: Counter[str]) -> int:
    """Count what an Exif block holds; give the orientation, 1 if it says none."""
    removed["Exif"] += 1
    order = _HEADERS.get(tiff[:4])
    if order is None:
        return _UPRIGHT
    try:
        return _read_directory(tiff, order, removed)
    except struct.error:  # cut short: it goes anyway
        return _UPRIGHT


def _read_directory(tiff: bytes, order: str, removed: Counter[str]) -> int:
    orientation = _UPRIGHT
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for place in range(start + 2, start + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, place)
        removed["GPS"] += tag == _GPS
        if tag == _ORIENTATION and kind == _SHORT and value in _ORIENTATIONS:
            orientation = value
    (following,) = struct.unpack_from(f"{order}I", tiff, start + 2 + count * _ENTRY_BYTES)
    removed["thumbnail"] += following != 0
    return orientation


def exif_of(orientation: int) -> bytes:
    """Make an Exif block that says how to turn the picture; empty if it is upright."""
    if orientation == _UPRIGHT:
        return b""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", _FIRST_DIRECTORY, 1) + entry + b"\0\0\0\0"
