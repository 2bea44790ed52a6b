"""Which words are known to be in names, of what kind, and which mean something alike.

Words are kept as 32-bit hashes, sorted, so 100,000 of them take 600 KB; a strange word is taken
for a known one once in 40,000 times. Case does not matter.

    file    "FLX1" | count, uint32 | hashes, uint32 each | kinds, a byte each | classes, a byte each
"""

from array import array
from bisect import bisect_left
from sys import byteorder
from zlib import crc32

KINDS = "FLCNGJOS"  # first name, last name, city, country, group, job, organisation, street
_MAGIC = b"FLX1"
_HASH_BYTES = 4
_HEAD_BYTES = len(_MAGIC) + 4
_ENTRY_BYTES = _HASH_BYTES + 2
_TEXTS = ["".join(kind for bit, kind in enumerate(KINDS) if mask >> bit & 1) for mask in range(256)]


class LexiconError(Exception):
    """The bytes are not a lexicon."""


class Lexicon:
    """The words of one language.

    Raises:
        LexiconError: `data` was cut short, or is something else.
    """

    def __init__(self, data: bytes) -> None:
        count = int.from_bytes(data[len(_MAGIC) : _HEAD_BYTES], "little")
        if data[: len(_MAGIC)] != _MAGIC or len(data) != _HEAD_BYTES + count * _ENTRY_BYTES:
            raise LexiconError("It is not a lexicon, or was cut short.")
        kinds = _HEAD_BYTES + count * _HASH_BYTES
        self._hashes = array("I", data[_HEAD_BYTES:kinds])
        if byteorder == "big":
            self._hashes.byteswap()
        self._kinds = data[kinds : kinds + count]
        self._classes = data[kinds + count :]

    def look_up(self, word: str) -> tuple[str, int]:
        """Give a lower-case word's kinds, as letters of `KINDS`, and its class; 0 is none."""
        key = crc32(word.encode())
        place = bisect_left(self._hashes, key)
        if place == len(self._hashes) or self._hashes[place] != key:
            return "", 0
        return _TEXTS[self._kinds[place]], self._classes[place]


def pack(entries: dict[str, tuple[str, int]]) -> bytes:
    """Write a lexicon: lower-case word -> its kinds and its class."""
    rows = {
        crc32(word.encode()): (sum(1 << KINDS.index(kind) for kind in set(kinds)), group)
        for word, (kinds, group) in entries.items()
    }
    keys = sorted(rows)
    return b"".join(
        (
            _MAGIC,
            len(keys).to_bytes(4, "little"),
            b"".join(key.to_bytes(_HASH_BYTES, "little") for key in keys),
            bytes(rows[key][0] for key in keys),
            bytes(rows[key][1] for key in keys),
        )
    )
