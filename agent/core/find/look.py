"""What several finders read of a text, made once for all of them."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Look:
    """A folded text, in lower case too, and which words are in it: in lower case, letters alone."""

    plain: str
    lower: str
    present: frozenset[str]


def look(plain: str) -> Look:
    """Look at a folded text."""
    lower = lowered(plain)
    return Look(plain, lower, frozenset(_WORD.findall(lower)))


def lowered(plain: str) -> str:
    """Write a text in lower case; the length stays."""
    return plain.replace("\u0130", "I").lower()  # the one letter that would grow
