"""Phone numbers by the ways in which people write them.

Not phone numbers: dates, times and UUIDs (blanked first), prices, decimals, versions, bare
numbers. A bare number counts only behind a word such as "tel" or "mobile". Each rule reads a
bounded number of characters from where it starts.
"""

import re
from collections.abc import Iterator

from agent.core.find.context import PHONE_WORDS
from agent.stages import Span

_START = re.compile(r"[+(]|[0-9](?<![0-9].)")  # where a number may begin
# Digits with what may stand between two of them: only there is a number looked for.
_TRAIN = re.compile(r"[+(0-9](?:(?<=[0-9])|[+(]?[0-9])(?:[^0-9A-Za-z]{0,4}[0-9]){6,}")
_CLEAR = r"""
    (?P<international> (?<![0-9]) \+[ ]?
        (?! [0-9]+ \.[0-9]{1,9} (?![0-9.\-/]) )                                 # +12.345678
        (?: 1 (?:[ ().\-/]{0,3}[0-9]){10} | [1-9] (?:[ ().\-/]{0,3}[0-9]){7,14} ) (?![0-9]) )
  | (?P<exit_code> (?<![0-9A-Za-z]) (?<![0-9][.,\-/:]) (?: 00[ \-]?[1-9] | 011[ \-][1-9] )
        (?: [0-9]{9,13} | (?=[0-9]{0,12}[ ().\-/]) (?:[ ().\-/]{0,3}[0-9]){7,13} )
        (?![0-9]) (?![.\-/][0-9]) )
  | (?P<area_code> (?: (?<![0-9A-Za-z]) [18][ .\-]? )?
        (?: \([0-9]{3}\) [ ]?[.\-]?[ ]? [0-9]{3} [ .\-]? [0-9]{4}
          | \( (?!(?:19|20)[0-9]{2}\)) (?:0|[0-9]{2,5}) \) (?:[ \-/.]{0,2}[0-9]){6,10} )
        (?![0-9]) (?![.\-/][0-9]) )
  | (?P<hyphens> (?<![0-9A-Za-z]) (?<![0-9][.,\-/:]) (?: 1[ .\-] )?
        [0-9]{3} ([.\-/]) [0-9]{3} [.\-] [0-9]{4} (?![0-9]) (?![.\-/][0-9]) )
  | (?P<spaces> (?<![0-9A-Za-z]) (?<![0-9][ .,\-/:])
        (?: (?:1[ ])? [2-9][0-9]{2} [ ] [2-9][0-9]{2} [ \-] [0-9]{4}
          | 1[3-9][0-9] [ \-] [0-9]{4} [ \-] [0-9]{4} | [6-9][0-9]{4} [ ] [0-9]{5} )
        (?![0-9]) (?![ .\-/][0-9]) )
  | (?P<local> (?<![0-9A-Za-z]) (?<![0-9][ .,\-/:]) 555-[0-9]{4} (?![0-9]) (?![.\-/][0-9]) )
  | (?P<trunk> (?<![0-9A-Za-z_]) (?<![0-9][.,\-/:])
        (?: 0[1-9][0-9]{8,9}
          | 0[1-9] (?=[0-9]{0,4}[ )/\-]) (?:[ )/\-]{0,3}[0-9]){7,11}
          | 0[1-9] [0-9]{0,3} (?:\.[0-9]{2,4}){2,4} )
        (?![0-9A-Za-z]) (?![.\-/][0-9]) )
  | (?P<groups> (?<![0-9A-Za-z_]) (?<![0-9][ .,\-/:]) [0-9]{2,4}
        (?P<between>[ \-]) [0-9]{2,4} (?: (?P=between) [0-9]{2,4} ){1,3}
        (?![0-9A-Za-z]) (?![ .,\-/:][0-9]) )
  | (?P<pair> (?<![0-9A-Za-z_]) (?<![0-9][ .,\-/:]) [0-9]{2,4}
        (?: [ ] [0-9]{6} | [ \-.] [0-9]{3,4} | (?: \. [0-9]{2,4} ){2,4} )
        (?![0-9A-Za-z]) (?![ .,\-/:][0-9]) )
"""
_UNCLEAR = r"""  # only where a word says what they are
  | (?P<mixed> (?<![0-9A-Za-z_]) (?<![0-9][ .,\-/:]) [0-9]{1,5} (?: [ \-./] [0-9]{1,8} ){1,4}
        (?![0-9A-Za-z]) (?![ .,\-/:][0-9]) )
  | (?P<bare> (?<![0-9A-Za-z_]) (?<![0-9][.,\-/:]) [0-9]{7,12} (?![0-9A-Za-z]) (?![.,\-/:][0-9]) )
"""
_FORMS = re.compile(_CLEAR + _UNCLEAR, re.VERBOSE)
_CLEAR_FORMS = re.compile(_CLEAR, re.VERBOSE)
_SCORES = {
    "international": 1.0,
    "exit_code": 0.8,
    "area_code": 0.9,
    "hyphens": 0.9,
    "spaces": 0.6,
    "local": 0.6,
    "trunk": 0.6,
    "groups": 0.4,
    "pair": 0.4,
    "mixed": 0.25,
    "bare": 0.25,
}
_EXTENSION = re.compile(r"[ ,;]{0,2}(?:x|ext\.?|extension|#)[ ]?[0-9]{1,6}(?![0-9])", re.IGNORECASE)
_GROUP = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[0-9]+\.[0-9]+")
_PRICE_BEFORE = "$\u20ac\u00a3\u00a5"
_UNIT_AFTER = "\u20ac\u00a3\u00a5%\u00b0"
_DIGITS = range(7, 18)  # E.164: at most 15, and an exit code
_TRUNK_DIGITS = range(9, 14)
_WEAK = ("groups", "pair", "mixed", "bare")  # nothing but a word beside says that it is a phone
_WEAK_DIGITS = range(7, 13)
_RANGES = {"trunk": _TRUNK_DIGITS, **dict.fromkeys(_WEAK, _WEAK_DIGITS)}
_PAIRS = 5  # 01 23 45 67 89, France; more pairs are a dump of bytes


def find_phones(plain: str, present: frozenset[str]) -> Iterator[Span]:
    """Find phone numbers of at least seven digits, with their extension; `present` are words."""
    forms = _CLEAR_FORMS if PHONE_WORDS.isdisjoint(present) else _FORMS
    for train in _TRAIN.finditer(plain):
        if train[0].isdecimal() and len(train[0]) not in _WEAK_DIGITS and train[0][0] != "0":
            continue  # one number that is too long, as machines number things
        floor = 0
        for place in _START.finditer(plain, *train.span()):
            match = forms.match(plain, place.start(), train.end() + 2)
            if match and place.start() >= floor:
                if match.lastgroup not in _WEAK:  # inside of what may be none, another may begin
                    floor = match.end()
                yield from _phone(plain, match)


def _phone(plain: str, match: re.Match[str]) -> Iterator[Span]:
    rule = match.lastgroup or ""
    start, end = match.span()
    if _is_plausible(plain, rule, start, end):
        more = _EXTENSION.match(plain, end)
        name = rule.replace("_", " ")
        yield Span(start, more.end() if more else end, "PHONE", _SCORES[rule], name)


def _is_plausible(plain: str, rule: str, start: int, end: int) -> bool:
    written = plain[start:end]
    groups = _GROUP.findall(written)
    digits = sum(map(len, groups))
    if digits not in _RANGES.get(rule, _DIGITS):
        return False
    if _DECIMAL.fullmatch(written):
        return False
    if plain[max(0, start - 2) : start].rstrip()[-1:] in tuple(_PRICE_BEFORE):
        return False
    if plain[end : end + 2].lstrip()[:1] in tuple(_UNIT_AFTER):
        return False
    return rule != "trunk" or not _is_dump(plain, start, end, groups)


def _is_dump(plain: str, start: int, end: int, groups: list[str]) -> bool:
    """Tell 01 02 03 04 05 06 from 01 23 45 67 89."""
    if any(len(group) != len("00") for group in groups):
        return False
    before = plain[max(0, start - 2) : start].strip()[-1:].isdigit()
    after = plain[end : end + 2].strip()[:1].isalnum() and plain[end : end + 2][1:2].isdigit()
    return len(groups) != _PAIRS or before or after
