"""A text, and what is personal in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `label` says what it is, None that nobody has to hide it."""

    text: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """What is personal in a text: `text[start:end]` is a `label`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text, its marks in order, and the `theme:line` of its template."""

    text: str
    marks: tuple[Mark, ...]
    template: str


def assembled(pieces: list[Piece], template: str) -> Sentence:
    """Join pieces into a text; say where the personal ones lie, without spaces at their ends."""
    marks: list[Mark] = []
    text = ""
    for piece in pieces:
        inner = piece.text.strip()
        if piece.label and inner:
            start = len(text) + piece.text.index(inner)
            marks.append(Mark(start, start + len(inner), piece.label))
        text += piece.text
    return Sentence(text, tuple(marks), template)
