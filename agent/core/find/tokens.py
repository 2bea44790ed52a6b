"""A text -> words as the model of names reads them, and where each begins.

A word is letters alone; each sign is a word of its own, so that a name can end wherever people end
it. A line break is a word too: addresses have several lines. What has a digit in it is one word
with all that hangs on it, 5a or 2026-11-20T06:55: nobody is called so, and machines write a lot
of it.
"""

import re
from dataclasses import dataclass

_WORD = re.compile(
    r"[^\W\d_]++(?!\d)"
    r"|[^\W_]*\d(?:[^\W_]++|[^\w\s]{1,2}(?=\d)|[-_:.](?=[^\W_]*\d))*"
    r"|\n\s*|[^\w\s]|_"
)
LINE_BREAK = "\n"
BLANK_LINE = "\n\n"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, in order, with the characters [start, end) of each."""

    words: list[str]
    starts: list[int]
    ends: list[int]


def words(text: str) -> list[str]:
    """Cut a text into words; spaces go, line breaks stay."""
    found: list[str] = _WORD.findall(text)
    if LINE_BREAK not in text:
        return found
    return [_bare(word) if word[0] == LINE_BREAK else word for word in found]


def cut(text: str) -> Words:
    """Cut a text into words, and tell where each stands: a good deal slower than `words`."""
    places = [match.span() for match in _WORD.finditer(text)]
    return Words(words(text), [start for start, _ in places], [end for _, end in places])


def _bare(word: str) -> str:
    return BLANK_LINE if LINE_BREAK in word[1:] else LINE_BREAK
