"""The values of a sentence as one tag a word, and back (Ramshaw and Marcus 1995: BIO).

wake  me  at  5       am
O     O   O   B-time  I-time     <->  Part("", "wake me at "), Part("time", "5 am")
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from training.home_nlu.frames import Part

OUTSIDE = "O"
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a mark, and where it stands."""

    text: str
    start: int  # characters
    end: int


def words(text: str) -> list[Word]:
    """Cut a text into words and marks."""
    return [Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]


def tags(parts: Sequence[Part], cut: Sequence[Word]) -> list[str]:
    """Give each word of a sentence the tag of the part that it begins in."""
    spans, at = [], 0
    for part in parts:
        spans.append((at, at + len(part.text), part.slot))
        at += len(part.text)
    found, before = [], None
    for word in cut:
        span = next(each for each in spans if each[0] <= word.start < each[1])
        found.append(f"{'I' if span == before else 'B'}-{span[2]}" if span[2] else OUTSIDE)
        before = span
    return found


def parts(text: str, cut: Sequence[Word], marks: Sequence[str]) -> tuple[Part, ...]:
    """Cut a text into parts by the tags of its words; a value may begin without a B."""
    values: list[tuple[str, int, int]] = []
    before = ""
    for word, mark in zip(cut, marks, strict=True):
        kind, _, slot = mark.partition("-")
        if slot and kind == "I" and slot == before:
            values[-1] = (slot, values[-1][1], word.end)
        elif slot:
            values.append((slot, word.start, word.end))
        before = slot
    found, at = [], 0
    for slot, start, end in values:
        found += [Part("", text[at:start]), Part(slot, text[start:end])]
        at = end
    return tuple(part for part in (*found, Part("", text[at:])) if part.text)
