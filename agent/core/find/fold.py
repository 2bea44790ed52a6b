"""Look-alikes -> the ASCII that the rules are written for, character by character.

The length never changes, nor does `lower()` change it then, so positions stay true.
"""

import re
from collections.abc import Iterator, Sequence

from agent.stages import Span

BLANK = "\0"  # neither letter, digit nor separator; clean text has none
_UUID_TRIGGER = re.compile(r"-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-")
_UUID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)

# The zeros of writings with ten digits in a row: full width, Arabic, Persian, Indian, Thai,
# and the five mathematical alphabets.
_ZEROS = (0xFF10, 0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, *range(0x1D7CE, 0x1D800, 10))
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_TO_ASCII = 0xFEE0  # from full width
_SAME = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000",
    "@": "\ufe6b",
    ".": "\u3002\uff61\u2024\ufe52",
    ":": "\ufe55\ua789",
    "/": "\u2044\u2215",
    "I": "\u0130",  # the one letter that lower() makes longer
}


def _pairs() -> Iterator[tuple[int, str]]:
    for wide in _FULL_WIDTH:
        yield wide, chr(wide - _TO_ASCII)
    for zero in _ZEROS:
        for digit in range(10):
            yield zero + digit, str(digit)
    for plain, others in _SAME.items():
        for other in others:
            yield ord(other), plain


_TABLE = dict(_pairs())


def fold(text: str) -> str:
    """Write foreign digits, dashes and spaces in ASCII; the length stays."""
    return text if text.isascii() else text.translate(_TABLE)


def without_uuids(plain: str) -> str:
    """Overwrite UUIDs, whose digits mean nothing; the length stays."""
    if not _UUID_TRIGGER.search(plain):
        return plain
    return _UUID.sub(lambda match: BLANK * len(match[0]), plain)


def blank(text: str, spans: Sequence[Span]) -> str:
    """Overwrite spans with a character that no rule reads; the length stays."""
    if not spans:
        return text
    pieces: list[str] = []
    end = 0
    for span in sorted(spans, key=lambda span: span.start):
        start = max(span.start, end)
        if span.end > start:
            pieces += [text[end:start], BLANK * (span.end - start)]
            end = span.end
    return "".join([*pieces, text[end:]])
