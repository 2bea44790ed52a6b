"""GIF: a screen, then blocks: images, and extensions of which few are needed (GIF89a)."""

from collections import Counter

from agent.core.errors import ImageError

_HEAD_BYTES = 13  # signature, version and screen
_IMAGE_BYTES = 10
_HAS_TABLE, _TABLE_SIZE = 0x80, 0x07
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_KEPT_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")  # repeats, colours


def strip_gif(data: bytes, removed: Counter[str]) -> bytes:
    """Keep what shows the picture.

    Raises:
        ImageError: It is damaged, or has text as a layer of its own.
    """
    place = _HEAD_BYTES + _table_bytes(data, _HEAD_BYTES - 3)
    kept = [data[:place]]
    images = 0
    while (kind := _byte(data, place)) != _END:
        if kind == _IMAGE:
            images += 1
            end = place + _IMAGE_BYTES + _table_bytes(data, place + _IMAGE_BYTES - 1)
            end = _blocks_end(data, end + 1)  # behind the code size
            kept.append(data[place:end])
        elif kind == _EXTENSION:
            end = _blocks_end(data, place + 2)
            kept.append(_extension(data[place:end], removed))
        else:
            raise _damaged("has a block where there is none")
        place = end
    if not images:
        raise _damaged("holds no picture")
    removed["trailing data"] += place + 1 < len(data)
    return b"".join([*kept, bytes((_END,))])


def _extension(block: bytes, removed: Counter[str]) -> bytes:
    """Give the extension if the picture needs it, else nothing."""
    match block[1]:
        case 0xF9:  # how the next image is drawn
            return block
        case 0xFF if block[3:14] in _KEPT_APPLICATIONS:
            return block
        case 0x01:  # plain text
            raise _damaged("has a layer of text, which may say anything")
        case 0xFE:  # comment
            removed["comment"] += 1
        case _:
            removed["XMP" if block[3:14] == b"XMP DataXMP" else "other"] += 1
    return b""


def _table_bytes(data: bytes, place: int) -> int:
    """Size of the colour table that the flags in this place announce."""
    flags = _byte(data, place)
    return 3 * 2 ** ((flags & _TABLE_SIZE) + 1) if flags & _HAS_TABLE else 0


def _blocks_end(data: bytes, place: int) -> int:
    """Walk over blocks that say their length, to behind the empty one."""
    while length := _byte(data, place):
        place += length + 1
    return place + 1


def _byte(data: bytes, place: int) -> int:
    if place >= len(data):
        raise _damaged("is cut short")
    return data[place]


def _damaged(what: str) -> ImageError:
    return ImageError(f"The GIF {what}. Save it again with an image program.")
