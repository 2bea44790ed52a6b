"""Words -> what the model of names is told of each: the same in training and on the board.

    word      itself, its last letters, its shape, its kinds and its class
    around    the words beside it, their kinds and classes, and the two on each side
    pairs     this word and the next, as kinds: a first name before a last name

What depends on one word alone is made once and remembered, because most words come again.
A text in CAPITALS or in lower case has no shapes, so its words are told by the rest.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from agent.core.find.lexicon import Lexicon
from agent.core.find.tokens import words

_REMEMBERED = 1024  # words; about 1.5 MB
_LONGEST = 24  # characters: longer "words" are of a language without spaces, or of a machine
_MOST_DIGITS = 7
_FEW_LETTERS = 3  # in a word with digits: 12th, ssh2; more is somebody's identifier
_YEARS = range(1900, 2100)
_YEAR_DIGITS = 4
_NUMBER = re.compile(r"\d+")
_OTHER_DIGIT = re.compile("[1-9]")
_ZEROS = str.maketrans("123456789", "000000000")
_YEAR = "0" * _YEAR_DIGITS
_LIKE_YEAR = re.compile(r"(?:19|20)[0-9]{2}(?![0-9])")

Row = list[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What one word says of itself and of its neighbours."""

    own: Row
    before: Row  # told to the word after it
    after: Row  # told to the word before it
    name: str  # the word in lower case, digits as zeros
    kind: str
    number: int  # of this word and of no other


_OUTSIDE = Told([], ["-w:^"], ["+w:^"], "^", "^", 0)


class Reader:
    """Tells of words, by a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        # By `cased`: the words of late, and those before them.
        self._known: tuple[dict[str, Told], dict[str, Told]] = ({}, {})
        self._older: list[dict[str, Told]] = [{}, {}]
        self._signs: dict[str, Told] = {}  # and numbers, by their form
        self._numbers = count(1)

    def rows(self, words: list[str], *, cased: bool) -> list[Row]:
        """Tell of each word of a text; `cased` if its capitals mean something."""
        return rows(self.told(words, cased=cased))

    def read(self, text: str) -> list[Told]:
        """Cut a text, and tell of each word: what is of the same numbers is read alike.

        Zeros stand for all digits, so that words with numbers in them come again; a year is told
        from other numbers by its own.
        """
        found = words(text.translate(_ZEROS))
        if _YEAR in found and _LIKE_YEAR.search(text):
            written = words(text)
            places = range(len(found))
            found = [written[at] if found[at] == _YEAR else found[at] for at in places]
        return self.told(found, cased=is_cased(text))

    def told(self, words: list[str], *, cased: bool) -> list[Told]:
        """Tell of each word."""
        known = self._known[cased].get
        return [known(word) or self._learn(word, cased=cased) for word in words]

    def _learn(self, word: str, *, cased: bool) -> Told:
        """Remember a word; of two generations, the older goes when the younger is full."""
        if _OTHER_DIGIT.search(word):  # numbers hardly come again, their forms do
            return self._sign(_digits(word))
        told = self._older[cased].get(word) or self._tell(word, cased=cased)
        if len(self._known[cased]) >= _REMEMBERED:
            self._older[cased] = self._known[cased].copy()
            self._known[cased].clear()
        self._known[cased][word] = told
        return told

    def _tell(self, word: str, *, cased: bool) -> Told:
        if not word.isalpha():
            return self._sign(_digits(word))
        word = word[:_LONGEST]
        name = word.lower()
        kinds, group = self._lexicon.look_up(name)
        shape = _shape(word) if cased else "~"
        kind = shape + kinds
        own = ["w:" + name, "s:" + name[-3:], f"x:{shape}{min(len(word), 5)}"]
        own.append("g:" + kind)
        before, after = ["-w:" + name, "-g:" + kind], ["+w:" + name, "+g:" + kind]
        if group:
            own.append(f"c:{group}")
            before.append(f"-c:{group}")
            after.append(f"+c:{group}")
        return Told(own, before, after, name, kind, next(self._numbers))

    def _sign(self, name: str) -> Told:
        told = self._signs.get(name)
        if told is None:
            if len(self._signs) >= _REMEMBERED:
                self._signs.clear()
            number = next(self._numbers)
            told = Told(["w:" + name], ["-w:" + name], ["+w:" + name], name, name, number)
            self._signs[name] = told
        return told


def rows(told: Sequence[Told]) -> list[Row]:
    """Tell of each word of a text, with those around it."""
    rows = []
    before2, before, here, after, *others = [_OUTSIDE, _OUTSIDE, *told, _OUTSIDE, _OUTSIDE]
    for after2 in others:
        row = here.own + before.before + after.after
        row += (
            f"--{before2.name}",
            f"++{after2.name}",
            f"+2{after.name} {after2.name}",
            f"k{before.kind} {here.kind} {after.kind}",
        )
        rows.append(row)
        before2, before, here, after = before, here, after, after2
    return rows


def is_cased(text: str) -> bool:
    """Tell whether a text has capitals and small letters."""
    return not (text.islower() or text.isupper())


def _shape(word: str) -> str:
    if word.islower():
        return "a"
    if len(word) == 1:
        return "I"
    if word.isupper():
        return "A"
    return "C" if word[0].isupper() and word[1:].islower() else "m"


def _digits(word: str) -> str:
    """Write numbers as zeros, so that all of one length are one, and so are all of one form."""
    if word.isdecimal():
        if len(word) == _YEAR_DIGITS and word.isascii() and int(word) in _YEARS:
            return "year"
        return "0" * min(len(word), _MOST_DIGITS)
    form = _NUMBER.sub("0", word[:_LONGEST].lower())
    return form if sum(map(str.isalpha, form)) <= _FEW_LETTERS else "id"
