"""Pictures with all that cameras and programs write beside them, made by Pillow."""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

SECRET = b"John Smith was here"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
ORIENTATION, GPS = 0x0112, 0x8825
KINDS = ("JPEG", "PNG", "WEBP")


def picture(mode: str = "RGB") -> Image.Image:
    """Something with edges and a gradient, wider than high."""
    image = Image.linear_gradient("L").resize((48, 32)).convert(mode)
    ImageDraw.Draw(image).ellipse((4, 4, 28, 20), outline=1 if mode == "1" else None)
    return image


def exif(orientation: int = 6) -> Image.Exif:
    """What a telephone writes: who, where, how it was held."""
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    tags[0x010F] = SECRET.decode()  # maker
    tags[0x9286] = SECRET.decode()  # user comment
    tags.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return tags


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def full(kind: str, orientation: int = 6) -> bytes:
    """A picture with everything that this kind can carry."""
    tags = exif(orientation)
    common = {"exif": tags.tobytes(), "icc_profile": PROFILE, "xmp": XMP}
    match kind:
        case "JPEG":
            data = saved(picture(), kind, comment=SECRET, **common)
            iptc = b"Photoshop 3.0\0" + SECRET
            others = (
                b"\xed" + sized(iptc),
                b"\xe5" + sized(SECRET),
                b"\xe0" + sized(b"JFXX\0" + SECRET),
            )
            return data[:2] + b"".join(b"\xff" + other for other in others) + data[2:] + SECRET
        case "PNG":
            info = PngInfo()
            info.add_text("Author", SECRET.decode())
            info.add_text("Comment", SECRET.decode(), zip=True)
            info.add_itxt("XML:com.adobe.xmp", XMP.decode())
            info.add(b"prIv", SECRET)
            del common["xmp"]
            return saved(picture(), kind, pnginfo=info, **common) + SECRET
        case _:
            data = saved(picture(), kind, lossless=True, **common)
            size = int.from_bytes(data[4:8], "little") + 8 + len(SECRET) + 1
            body = data[8:] + b"priv" + struct.pack("<I", len(SECRET)) + SECRET + b"\0"
            return b"RIFF" + struct.pack("<I", size) + body + SECRET


def sized(payload: bytes) -> bytes:
    """A JPEG segment behind its marker."""
    return struct.pack(">H", len(payload) + 2) + payload


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """A chunk with its checksum."""
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def animation(kind: str) -> bytes:
    """Three frames, repeated."""
    frames = [picture().rotate(angle) for angle in (0, 90, 180)]
    options: dict[str, object] = {"comment": SECRET} if kind == "GIF" else {}
    first, *others = frames
    return saved(first, kind, save_all=True, append_images=others, duration=80, loop=2, **options)


def opened(data: bytes) -> Image.Image:
    """The decoded picture."""
    image = Image.open(BytesIO(data))
    image.load()
    return image
