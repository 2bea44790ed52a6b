"""Street addresses, by a word for a street beside a house number, in a dozen languages.

    123 Main St Apt 4, Springfield, IL 62704      Hauptstraße 5      12 bis rue de la Paix
    Calle Mayor 3    Via Roma 1    Kerkstraat 12a    Storgatan 5    Rákóczi út 13.    ul. Miła 53

Looked for from each number outwards, so that a text without numbers costs nothing. A unit, and a
place that ends in a postcode, belong to the address when they follow directly.
"""

import re
from collections.abc import Iterator

from agent.core.find.behind import has_any
from agent.core.find.place import LETTERS, TAIL, extended
from agent.core.find.street_words import (
    BEHIND,
    ENDINGS,
    ENGLISH,
    ENGLISH_TOO,
    FIRST,
    LAST,
    NAMED_SO,
    NO_NAME,
    PARTICLES,
    SIGNS,
)
from agent.stages import Span

_NUMBER = re.compile(
    r"[0-9](?<![^ \n\t,(;\"'>].)[0-9]{0,5}[A-Za-z]?(?:[-/][0-9]{1,4}[A-Za-z]?)?"
    r"(?![0-9A-Za-z_]|[-:/.][0-9])"
)
_AFTER = re.compile(rf",?[ ](?P<word>{LETTERS}|[0-9]{{1,3}}(?:st|nd|rd|th)\b)")
_WORD = re.compile(rf"[Cc]/|{LETTERS}|[0-9]{{1,4}}(?![^\W_])|[^\s]")
_GAP = (" ", ",")  # between a number and a street's name
_RUN = re.compile(r"[^\W\d_]+")
_MANY_WORDS = 5  # of a street's name
_FEW_WORDS = 3
_ENDING_CHARS = 5  # fewer is no name with its ending
_NUMBERED_NAME = re.compile(
    rf"(?<![^\s(])[0-9]{{1,6}}[ ](?=[^\Wa-z\d_]){LETTERS}(?:[ ]{LETTERS}){{0,3}}[ ]$"
)
_NUMBERBEHIND = re.compile(r",?[ ][0-9]{1,4}[a-z]?(?![0-9A-Za-z]|[.:\-/][0-9])")
_BEFORE_CHARS = 64


def find_streets(plain: str, present: frozenset[str]) -> Iterator[Span]:
    """Find street addresses with their unit, postcode and place; `present` are the text's words."""
    low = plain.islower()  # then a name needs no capital
    ahead = _has_street(plain, present, low=low)
    behind = not BEHIND.isdisjoint(present) or has_any(plain, SIGNS)
    done = 0
    for number in _NUMBER.finditer(plain):
        start, end = number.span()
        if start < done:
            continue
        found = None
        if ahead and plain[end : end + 1] in _GAP:
            found = _number_first(plain, number, low=low)
        if not found and start and plain[start - 1] == " ":
            if start - done > len("u. 1"):
                found = _number_last(plain, number, done, behind=behind, low=low)
            found = found or _by_place(plain, number, done)
        if found:
            first, last, score = found
            last, more = extended(plain, last)
            done = last
            yield Span(_with_number(plain, first), last, "ADDRESS", max(score, more), "street word")


def _has_street(plain: str, present: frozenset[str], *, low: bool) -> bool:
    """Tell whether a word for a street is there, with a capital if it has other meanings too."""
    if not NAMED_SO.isdisjoint(present) or "Via " in plain or "VIA " in plain:
        return True
    if low:
        return not ENGLISH_TOO.isdisjoint(present)
    return any(
        word.capitalize() in plain or word.upper() in plain for word in ENGLISH_TOO & present
    )


def _number_first(plain: str, number: re.Match[str], *, low: bool) -> tuple[int, int, float] | None:
    """Read 12 Main Street, and 12 rue de la Paix."""
    end = number.end()
    for place in range(_MANY_WORDS + 1):
        after = _AFTER.match(plain, end)
        if not after:
            return None
        word = after["word"]
        kind = word.lower().rstrip(".")
        if place == 0 and _is_first(word, low=low):
            name_end = _name_behind(plain, after.end(), low=low)
            if name_end:
                return number.start(), name_end, 0.85
        if place and kind in ENGLISH and (low or word[0].isupper() or len(kind) > len("blvd")):
            return number.start(), after.end(), 0.85
        if place and kind in ENGLISH_TOO and word[0].isupper() and len(number[0]) > len("99"):
            return number.start(), after.end() - (word[-1] == "."), 0.6
        if not _is_name(word, low=low):
            return None
        end = after.end()
    return None


def _number_last(
    plain: str, number: re.Match[str], floor: int, *, behind: bool, low: bool
) -> tuple[int, int, float] | None:
    """Read Hauptstra\u00dfe 5, R\u00e1k\u00f3czi \u00fat 13. and Via Roma 1."""
    start, end = number.span()
    if plain[end - 1].isupper():
        return None
    at = max(floor, start - _BEFORE_CHARS)
    name = plain[at : start - 1]
    last = name.rstrip(",").rpartition(" ")[2]
    kind = last.lower()
    if len(kind) > _ENDING_CHARS and kind.endswith(ENDINGS) and kind.rstrip(".") not in LAST:
        if not (low or last[0].isupper()):
            return None
        return at + name.rindex(last), end, 0.85
    if not behind or (
        BEHIND.isdisjoint(_RUN.findall(name.lower())) and not has_any(f"{name} ", SIGNS)
    ):
        return None
    return _behind_words(plain, at, start, end, low=low)


def _by_place(plain: str, number: re.Match[str], floor: int) -> tuple[int, int, float] | None:
    """Read 5638 Aasa 43, Humilimont 78618: no word for a street, but a place and its postcode."""
    start, end = number.span()
    if plain[end : end + 1] not in (",", "\n"):
        return None
    name = _NUMBERED_NAME.search(plain, max(floor, start - _BEFORE_CHARS), start)
    return (name.start(), end, 0.7) if name and TAIL.match(plain, end) else None


def _behind_words(
    plain: str, at: int, start: int, end: int, *, low: bool
) -> tuple[int, int, float] | None:
    before = list(_WORD.finditer(plain, at, start - 1))
    if before and before[-1][0] == ",":
        before.pop()
    kinds = [match[0].lower().rstrip(".") for match in before]
    if kinds and kinds[-1] in LAST and (len(kinds[-1]) > 1 or before[-1][0] == "u."):
        names = [match for match in before[-1 - _FEW_WORDS : -1] if _is_name(match[0], low=low)]
        dot = plain[end : end + 1] == "."
        return (names[0].start(), end + dot, 0.85) if names else None
    for place in range(len(before) - 2, max(-1, len(before) - 2 - _MANY_WORDS), -1):
        if _is_first(before[place][0], low=low):
            return before[place].start(), end, 0.85
        if not _is_name(before[place][0], low=low):
            return None
    return None


def _name_behind(plain: str, at: int, *, low: bool) -> int:
    """Give the end of a street's name, and of a number behind it; 0 if there is no name."""
    end = 0
    for _ in range(_MANY_WORDS):
        after = _AFTER.match(plain, at)
        if not after or plain[at] == "," or not _is_name(after["word"], low=low):
            break
        at = after.end()
        if after["word"].lower() not in PARTICLES:
            end = at - (after["word"][-1] == ".")
    number = _NUMBERBEHIND.match(plain, end) if end else None
    return number.end() if number else end


def _is_first(word: str, *, low: bool) -> bool:
    if word == "via":  # the street is Via
        return False
    return word.lower().rstrip(".") in FIRST and (low or word == "C/" or not word.isupper())


def _is_name(word: str, *, low: bool) -> bool:
    lower = word.lower()
    if lower.split("'")[0] in PARTICLES:
        return True
    return (low or word[0].isupper() or word[0].isdigit()) and lower not in NO_NAME


_BUILDING = re.compile(r"(?<![^\s(])[0-9]{1,6}[ ]$")


def _with_number(plain: str, start: int) -> int:
    """Take in a building's number that stands before."""
    before = _BUILDING.search(plain, max(0, start - 8), start)
    return before.start() if before else start
