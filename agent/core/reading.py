r"""Finds the names of a vault in a text, as language models rewrite them.

    as it was given             <EMAIL_1>
    with a pair of brackets     <email_1>  <Email 1>  [EMAIL-1]  {{EMAIL_1}}  &lt;EMAIL_1&gt;
                                %3CEMAIL_1%3E  < EMAIL_ 1 >  <EMAIL\_1>  <EMAIL_1/>  <EMAIL1>
    without, as a word          EMAIL_1  email_1  EMAIL\_1  (EMAIL_1)  EMAIL_1's
    without, in capitals        EMAIL 1  EMAIL-1        "email 1" and "Date 1" are ordinary words
    a surrogate                 exactly, as a word, in whatever case

Only a pair of brackets belongs to a name, and round ones never: people write them themselves. A
name has at most MOST characters, and is read in time in proportion to them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.core.escapes import INVISIBLE, OPENING, Cursor, UndecidedError
from agent.core.pseudonyms import PLACEHOLDER

MOST = 256  # characters of one name, however it is written
_BEGUN = re.compile(r"<(?:[A-Z][A-Z0-9_]{0,72})?", re.ASCII | re.IGNORECASE)
_PAIRS = {"<": ">", "[": "]", "{": "}"}
_DOUBLED = "[{"
_ESCAPED = re.compile(r"\\[<\[{]")
_WITHIN = " \n*`"  # emphasis and wrapped lines between a bracket and a name
_WITHIN_MOST = 3
_UNSEEN = "".join(sorted(INVISIBLE))
_WITHIN_ANY = rf"(?:[{_UNSEEN}]*[<\[{{{_WITHIN}]){{0,{1 + _WITHIN_MOST}}}[{_UNSEEN}]*"
_JOINTS = "_- \n"
_JOINTS_MOST = 4
_NUMBER_DIGITS = 9
_LETTERS = "A-Za-z0-9\u00c0-\u024f\u0370-\u04ff"  # of languages that part words by spaces
_LETTER = re.compile(f"[{_LETTERS}]")
_WORD = re.compile(f"[^{_LETTERS}]*[{_LETTERS}]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """A name, and where it stands: characters [start, end)."""

    start: int
    end: int
    name: str
    sure: bool = True  # False: ordinary words, unless the vault knows the name


class Reader:
    """Reads the names of one vault.

    Args:
        names: As they were given: placeholders and surrogates.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._stems: set[str] = set()  # EMAIL_
        self._surrogates: dict[str, list[str]] = {}  # by their beginning, to the first word's end
        for name in names:
            if PLACEHOLDER.fullmatch(name):
                self._stems.add(name[1 : name.rindex("_") + 1])
            elif word := _WORD.match(name):
                self._surrogates.setdefault(word[0].lower(), []).append(name)
        for same in self._surrogates.values():
            same.sort(key=len, reverse=True)
        self._starts = {stem[:end] for stem in self._stems for end in range(1, len(stem) + 1)}
        self._longest_word = max(map(len, self._surrogates), default=0)
        self._candidate = re.compile(_candidates(self._stems, self._surrogates))

    def read(self, text: str, at: int, *, whole: bool) -> Iterator[Reading | int]:
        """Find the readings from `at` on, in order; none overlaps another.

        Ends with the place from where on nothing can be told yet; the text's end if it is `whole`.
        """
        while found := self._candidate.search(text, at):
            at = found.start()
            try:
                reading = self._at(text, at, whole=whole)
            except UndecidedError:
                yield at
                return
            at = at + 1 if reading is None else reading.end
            if reading is not None:
                yield reading
        yield len(text)

    def _at(self, text: str, at: int, *, whole: bool) -> Reading | None:
        if given := PLACEHOLDER.match(text, at):
            return Reading(at, given.end(), given[0].upper())
        if not whole and _BEGUN.fullmatch(text, at):
            raise UndecidedError
        return self._surrogate(text, at, whole=whole) or self._placeholder(text, at, whole=whole)

    def _surrogate(self, text: str, at: int, *, whole: bool) -> Reading | None:
        word = _WORD.match(text, at, at + self._longest_word + 1) if self._surrogates else None
        if word is None:
            return None
        if word.end() == len(text) and not whole:
            raise UndecidedError
        for name in self._surrogates.get(word[0].lower(), ()):
            end = at + len(name)
            if end >= len(text) and not whole:
                raise UndecidedError
            if text[at:end].lower() == name.lower() and not _LETTER.match(text, end):
                return Reading(at, end, name)
        return None

    def _placeholder(self, text: str, at: int, *, whole: bool) -> Reading | None:
        window = text[at : at + MOST]
        cursor = Cursor(window, 0, whole and len(text) <= at + MOST)
        try:
            found = self._bracketed(cursor) or self._bare(cursor)
        except UndecidedError:
            if len(window) < MOST:
                raise
            return None  # too long for a name
        return found and Reading(at + found.start, at + found.end, found.name, found.sure)

    def _bracketed(self, cursor: Cursor) -> Reading | None:
        by_backslash = _ESCAPED.match(cursor.text)
        opened = cursor.take("<[{")
        if not opened:
            return None
        if opened in _DOUBLED:
            opened += cursor.take(opened)
        cursor.take(_WITHIN, _WITHIN_MOST)
        inner = cursor.at
        name, _ = self._name(cursor, loose=True)
        within = cursor.at
        cursor.take(_WITHIN, _WITHIN_MOST)
        cursor.take("/")
        closed = cursor.take(_PAIRS[opened[0]], len(opened))
        if not name or len(closed) < len(opened):
            return None
        if by_backslash and cursor.text[cursor.at - 2] != "\\":
            return None  # the backslash is the text's own
        if closed == "]" and cursor.peek()[0] == "(":  # a link's text keeps its brackets
            return Reading(inner, within, name)
        return Reading(0, cursor.at, name)

    def _bare(self, cursor: Cursor) -> Reading | None:
        cursor.at = 0
        if _ESCAPED.match(cursor.text):  # what follows may be a name as it was given
            return None
        char, after = cursor.peek()
        if after > 1 and not char.isalnum():  # an escape such as %20 ends the word before it
            cursor.at = after
        start = cursor.at
        name, by_underscore = self._name(cursor, loose=False)
        if not name:
            return None
        char, after = cursor.peek()
        if char == "_":
            char = Cursor(cursor.text, after, cursor.whole).peek()[0]
        return None if _LETTER.match(char) else Reading(start, cursor.at, name, by_underscore)

    def _name(self, cursor: Cursor, *, loose: bool) -> tuple[str, bool]:
        """Read the longest name; tell too whether an underscore joins its words."""
        name, found, end = "", "", cursor.at
        capitals, joints = True, set[str]()
        by_underscore = False
        while True:
            char, after = cursor.peek()
            if char.isascii() and char.isalnum():
                if loose and char.isdigit() and f"{name}_" in self._stems:
                    name += "_"
                name, capitals = name + char.upper(), capitals and not char.islower()
                cursor.at = after
            elif joint := cursor.take(_JOINTS, _JOINTS_MOST):
                name += "_"
                joints.add("_" if "_" in joint else joint)
            else:
                break
            stem, _, number = name.rpartition("_")
            if f"{stem}_" in self._stems and number.isdigit() and len(number) <= _NUMBER_DIGITS:
                if loose or joints == {"_"} or (capitals and joints in ({" "}, {"-"})):
                    found, end, by_underscore = f"<{name}>", cursor.at, joints == {"_"}
            elif name not in self._starts:
                break
        cursor.at = end
        return found, by_underscore


def stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether a piece of a text is a word of its own: only such a surrogate is read again."""
    beside = text[max(0, start - 1) : start] + text[end : end + 1]
    return not any(char == "_" or char.isalnum() for char in beside)


def _candidates(stems: set[str], surrogates: Iterable[str]) -> str:
    """Write a pattern for the characters at which a name can begin."""
    seconds: dict[str, set[str]] = {}
    for stem in stems:
        seconds.setdefault(stem[0], set()).add(stem[1])
    words = [_first(letter, "".join(sorted(after))) for letter, after in sorted(seconds.items())]
    firsts = sorted({word[0] for word in surrogates})
    words += [f"[{each}{each.upper()}]" for each in firsts if _LETTER.match(each)]
    marks = "".join(each for each in firsts if not _LETTER.match(each))
    begins = [r"<(?=[A-Za-z]|\Z)"]
    if seconds:
        letters = "".join(seconds) + "".join(seconds).lower()
        begins += [rf"[<\[{{{OPENING}](?={_WITHIN_ANY}(?:[{letters}&%\\]|\Z))", r"[&%\\]"]
    begins += [f"[{re.escape(marks)}]"] if marks else []
    alone = rf"(?<![{_LETTERS}])(?<![{_LETTERS}]_)"
    return "|".join(begins + ([f"{alone}(?:{'|'.join(words)})"] if words else []))


def _first(letter: str, seconds: str) -> str:
    if not seconds.isalnum():
        return f"[{letter}{letter.lower()}]"  # the stem is one letter
    may_follow = seconds + seconds.lower() + _UNSEEN
    return rf"[{letter}{letter.lower()}](?=[{may_follow}]|\Z)"
