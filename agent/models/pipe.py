"""Frames between the agent and its engine child.

    header length (4 bytes) | content length (4 bytes) | header (JSON object) | content

JSON and not pickle: the child runs files that others made, and what it says is only parsed.
"""

import json
import struct
from typing import BinaryIO

_PREFIX = struct.Struct(">II")
_MAX_BYTES = 16 * 1024 * 1024  # larger than any payload that cleaning lets through

Header = dict[str, object]


def write_frame(stream: BinaryIO, header: Header, content: bytes = b"") -> None:
    """Write one frame."""
    text = json.dumps(header).encode()
    stream.write(_PREFIX.pack(len(text), len(content)) + text + content)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[Header, bytes]:
    """Read one frame.

    Raises:
        EOFError: the other side has gone.
        ValueError: not a frame.
    """
    prefix = _read(stream, _PREFIX.size)
    header_length, content_length = _PREFIX.unpack(prefix)
    if max(header_length, content_length) > _MAX_BYTES:
        raise ValueError("frame too long")
    body = _read(stream, header_length + content_length)
    try:
        header = json.loads(body[:header_length])
    except RecursionError:
        raise ValueError("a frame's header is nested too deeply") from None
    if not isinstance(header, dict):
        raise ValueError("a frame's header is not an object")  # noqa: TRY004 - one error for both
    return header, body[header_length:]


def _read(stream: BinaryIO, length: int) -> bytes:
    """All of it, from a pipe that may bring it in pieces."""
    pieces = []
    while length:
        piece = stream.read(length)
        if not piece:
            raise EOFError
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
