"""Images as files: what is beside the picture goes, the picture stays."""

from io import BytesIO

import pytest
from PIL import Image, ImageOps, ImageSequence

from agent.core.errors import ImageError
from agent.core.image import strip
from tests.unit.core.pictures import (
    GPS,
    KINDS,
    ORIENTATION,
    PROFILE,
    SECRET,
    animation,
    exif,
    full,
    opened,
    picture,
    png_chunk,
    saved,
    sized,
)

REMOVED = {
    "JPEG": {
        "Exif": 1,
        "GPS": 1,
        "XMP": 1,
        "IPTC": 1,
        "comment": 1,
        "thumbnail": 1,
        "other": 1,
        "trailing data": 1,
    },
    "PNG": {"Exif": 1, "GPS": 1, "XMP": 1, "comment": 2, "other": 1, "trailing data": 1},
    "WEBP": {"Exif": 1, "GPS": 1, "XMP": 1, "other": 1, "trailing data": 1},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_beside_the_picture_goes_and_is_counted(kind: str) -> None:
    data = full(kind)

    stripped = strip(data)

    assert GPS in opened(data).getexif()
    assert dict(opened(stripped.data).getexif()) == {ORIENTATION: 6}
    assert SECRET in data
    assert SECRET not in stripped.data
    assert stripped.kind.upper() == kind
    assert stripped.removed == REMOVED[kind]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_picture_looks_the_same_however_it_was_held(kind: str, orientation: int) -> None:
    data = full(kind, orientation)

    before, after = opened(data), opened(strip(data).data)

    assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())
    turned = [ImageOps.exif_transpose(image).tobytes() for image in (before, after)]
    assert turned[0] == turned[1]
    assert after.info["icc_profile"] == PROFILE


@pytest.mark.parametrize("kind", [*KINDS, "GIF"])
def test_clean_picture_passes_as_it_is(kind: str) -> None:
    once = strip(saved(picture(), kind)).data

    again = strip(once)

    assert (again.data, again.removed) == (once, {})
    assert opened(once).tobytes() == opened(saved(picture(), kind)).tobytes()


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("L", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("RGB", "JPEG", {"restart_marker_rows": 1}),
        ("1", "PNG", {}),
        ("P", "PNG", {"transparency": 3}),
        ("RGBA", "PNG", {}),
        ("I;16", "PNG", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("RGB", "WEBP", {"quality": 40}),
        ("RGBA", "WEBP", {"quality": 40}),
        ("P", "GIF", {"transparency": 3, "interlace": 1}),
    ],
)
def test_pixels_of_every_kind_stay(mode: str, kind: str, options: dict[str, object]) -> None:
    image = picture("L").convert("I;16") if mode == "I;16" else picture(mode)
    data = saved(image, kind, **options)

    before, after = opened(data), opened(strip(data).data)

    assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())
    assert after.info.get("transparency") == before.info.get("transparency")
    assert after.info.get("dpi") == before.info.get("dpi")
    assert after.info.get("adobe") == before.info.get("adobe")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_animation_goes_on_moving(kind: str) -> None:
    data = animation(kind)

    stripped = strip(data).data

    before, after = (Image.open(BytesIO(each)) for each in (data, stripped))
    frames = [
        [f.convert("RGB").tobytes() for f in ImageSequence.Iterator(i)] for i in (before, after)
    ]
    assert len(frames[0]) == 3
    assert frames[0] == frames[1]
    assert after.info["loop"] == 2
    assert SECRET not in stripped


def test_thumbnails_go() -> None:
    data = saved(picture(), "JPEG", exif=exif().tobytes())
    jfif = data.index(b"JFIF\0")
    small = data[: jfif - 2] + sized(data[jfif : jfif + 12] + b"\1\1" + b"abc") + data[jfif + 14 :]

    stripped = strip(small)

    assert stripped.removed == {"Exif": 1, "GPS": 1, "thumbnail": 1}
    assert b"abc" not in stripped.data
    assert opened(stripped.data).info["jfif_density"] == (1, 1)


@pytest.mark.parametrize("block", [b"", b"II*", b"XX*\0" + b"\0" * 20, b"MM\0*\xff\xff\xff\xff"])
def test_exif_that_nobody_can_read_goes_all_the_same(block: bytes) -> None:
    data = saved(picture(), "JPEG")

    stripped = strip(data[:2] + b"\xff\xe1" + sized(b"Exif\0\0" + block) + data[2:])

    assert (stripped.data, stripped.removed) == (data, {"Exif": 1})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved(picture(), "TIFF"), "TIFF images cannot be cleaned here. Save it as PNG or JPEG"),
        (b"\0\0\0\x18ftypheic", "HEIC or AVIF images cannot"),
        (saved(picture(), "BMP"), "no image that we know"),
        (b"", "no image that we know"),
        (SECRET, "no image that we know"),
        (b"\xff\xd8\xff", "The JPEG is cut short"),
        (b"\xff\xd8\xff\xd9", "The JPEG holds no picture"),
        (b"\xff\xd8\xff\xe1\0\1", "a segment has a wrong length"),
        (b"\xff\xd8\xff\xd8", "a marker where there is none"),
        (saved(picture(), "JPEG")[:-2], "The JPEG has no end"),
        (saved(picture(), "PNG")[:-1], "The PNG is cut short"),
        (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IEND", b""), "The PNG holds no picture"),
        (saved(picture(), "PNG").replace(b"IHDR\0", b"IHDR\1"), "The PNG has a wrong checksum"),
        (saved(picture(), "WEBP")[:-2], "The WebP is cut short"),
        (b"RIFF\4\0\0\0WEBP", "The WebP holds no picture"),
        (b"RIFF\x0c\0\0\0WEBPVP8 \xff\0\0\0", "a chunk has a wrong length"),
        (saved(picture(), "GIF")[:-1], "The GIF is cut short"),
        (b"GIF89a" + b"\0" * 7 + b";", "The GIF holds no picture"),
        (b"GIF89a" + b"\0" * 7 + b"x", "a block where there is none"),
        (b"GIF89a" + b"\0" * 7 + b"!\1\0;", "a layer of text"),
    ],
)
def test_image_that_cannot_be_cleaned_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        strip(data)

    assert "John" not in str(caught.value)
