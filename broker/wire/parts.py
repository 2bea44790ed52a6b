"""Files of metadata as retained messages: whole in one, or in as many as they need.

    payload = parts that follow the first (1 byte) || content      at most 128 KiB together

Nothing here is believed: who reads it checks the signature over the whole.
"""

from typing import Final

PART_BYTES: Final = 128 * 1024  # of a payload: our longest message
MOST_PARTS: Final = 40  # of a file: 5 MB, which is ten thousand targets and some
_HEAD: Final = 1  # byte
_CONTENT: Final = PART_BYTES - _HEAD


def split(data: bytes) -> list[bytes]:
    """The payloads that carry a file.

    Raises:
        ValueError: it is empty or does not fit.
    """
    count = -(-len(data) // _CONTENT)
    if not 1 <= count <= MOST_PARTS:
        raise ValueError(f"{len(data)} bytes do not fit into 1 to {MOST_PARTS} messages")
    head = bytes([count - 1])
    return [head + data[at : at + _CONTENT] for at in range(0, len(data), _CONTENT)]


def read_part(payload: bytes) -> tuple[int, bytes]:
    """How many parts the file has, and the content of this one.

    Raises:
        ValueError: it is no part, or one of a file that is too long.
    """
    if not _HEAD < len(payload) <= PART_BYTES:
        raise ValueError("not a part of a file")
    if payload[0] >= MOST_PARTS:
        raise ValueError(f"{payload[0] + 1} parts are more than {MOST_PARTS}")
    return payload[0] + 1, payload[_HEAD:]
