"""Image file -> the same picture, and nothing that was written beside it.

    bytes --kind?--> JPEG, PNG, WebP, GIF --part by part--> what a decoder needs to show it
                `--> anything else is refused

Out go Exif with its GPS and thumbnail, XMP, IPTC, comments, private parts and what hangs behind
the end. The pixels are not decoded, so they stay what they are; so do the colour profile and,
lest the picture turns, the orientation.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.core.errors import ImageError
from agent.core.image.gif import strip_gif
from agent.core.image.jpeg import strip_jpeg
from agent.core.image.png import strip_png
from agent.core.image.webp import strip_webp

_Strip = Callable[[bytes, Counter[str]], bytes]
_KINDS: tuple[tuple[str, bytes, int, _Strip], ...] = (  # name, mark, where it stands
    ("JPEG", b"\xff\xd8\xff", 0, strip_jpeg),
    ("PNG", b"\x89PNG\r\n\x1a\n", 0, strip_png),
    ("WebP", b"WEBP", 8, strip_webp),
    ("GIF", b"GIF8", 0, strip_gif),
)
# Known well enough to say what to do: their tags and pixels lie mixed.
_REFUSED = (
    ("TIFF", b"II*\0", 0),
    ("TIFF", b"MM\0*", 0),
    ("TIFF", b"II+\0", 0),
    ("TIFF", b"MM\0+", 0),
    ("HEIC or AVIF", b"ftyp", 4),
)


@dataclass(frozen=True, slots=True)
class Stripped:
    """An image without what was written beside it."""

    data: bytes = field(repr=False)
    kind: str
    removed: Mapping[str, int]  # what, how often


def strip(data: bytes) -> Stripped:
    """Remove all that is not the picture.

    Raises:
        ImageError: It is no image that can be cleaned, or it is damaged.
    """
    for kind, mark, place, strip_kind in _KINDS:
        if data[place : place + len(mark)] == mark:
            removed: Counter[str] = Counter()
            stripped = strip_kind(data, removed)
            if stripped == data:  # its Exif tells the orientation and nothing else
                removed.clear()
            return Stripped(stripped, kind, dict(+removed))
    for kind, mark, place in _REFUSED:
        if data[place : place + len(mark)] == mark:
            message = f"{kind} images cannot be cleaned here. Save it as PNG or JPEG first."
            raise ImageError(message)
    message = "This is no image that we know. Send JPEG, PNG, WebP or GIF."
    raise ImageError(message)
