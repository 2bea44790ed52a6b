"""The value behind a word: `IMEI: 49...`, `"serial": "..."`, `MRN #4711`, `plate is AB12 CDE`."""

import re
from collections.abc import Iterable, Iterator

_NUMBER = (
    r"(?:numbers?|num|no|nr|nummer|num[e\u00e9]ro|n\u00famero|numer|n[\u00b0\u00ba]|ids?|identifier"
    r"|code|mark)"
)
_GAP = re.compile(
    rf"(?P<number>[ _\-]?{_NUMBER}(?![a-z])\.?)?"
    r"(?:[ ]\([^()\n]{1,20}\))?"
    r"(?:[ ](?:is|was|of|ist|lautet|est|es|\u00e8|er|\u00e4r))?"
    r"[\"'\\ \t\])]{0,4}(?P<sign>[:=#>|]{0,2})[ \t\"'\\(\[#]{0,4}\n?[ ]{0,4}"
)
_IN_HEAD = re.compile(r"n[u\u00fa]m|nr|s\u00e9rie")
_NEAR_CHARS = 48  # on either side of a hint; no form is longer


def has_any(lower: str, parts: Iterable[str]) -> bool:
    """Tell whether one of the parts stands in the text."""
    for part in parts:  # noqa: SIM110 - any() takes twice as long, for every text
        if part in lower:
            return True
    return False


def near(hint: re.Pattern[str], form: re.Pattern[str], plain: str) -> Iterator[re.Match[str]]:
    """Search a form around each hint only: a hint begins with a digit or so, and is quick."""
    done = 0
    for found in hint.finditer(plain):
        start = max(done, found.start() - _NEAR_CHARS)
        if found.end() > done and (match := form.search(plain, start, found.end() + _NEAR_CHARS)):
            done = match.end()
            yield match


def places(lower: str, starts: Iterable[str]) -> list[int]:
    """Tell where the words stand, in the text's order."""
    found = []
    for word in starts:
        at = lower.find(word)
        while at >= 0:
            found.append(at)
            at = lower.find(word, at + len(word))
    return sorted(found)


def heads(
    pattern: re.Pattern[str], lower: str, starts: Iterable[str]
) -> Iterator[tuple[str, int, bool]]:
    """Match a pattern at the words; give its group's name, where a value would begin, how sure.

    Sure is what has a word for "number" or a sign between.
    """
    done = 0
    for at in places(lower, starts):
        head = pattern.match(lower, at) if at >= done else None
        if not head or not head.lastgroup or lower[at - 1 : at].isalpha():
            continue
        gap = _GAP.match(lower, head.end())
        if gap and gap.end() > head.end():
            done = gap.end()
            sure = gap["number"] or gap["sign"] or _IN_HEAD.search(head[0])
            yield head.lastgroup, done, bool(sure)
