"""Dates written in digits, with the time behind them, and times of day alone.

    2026-11-20  2026-11-20T12:30:45.123Z  20.11.2026  11/20/26 08:15
    20261120T123045  03-17 16:13:38  12:30  12:30:45,123  5 pm  5:30 a.m.  17h30

A date and its time are one DATE; a time alone is a TIME. Read in one pass from digit to digit.
"""

import re
from collections.abc import Iterator

from agent.stages import Span

_HOUR = r"(?:[01]?[0-9]|2[0-4])"
_ZONE = r"(?:[ ]?(?:z|utc|gmt)(?![a-z])|[ ]?[+-][0-9]{2}:?[0-9]{2}(?![0-9]))"
_NOON = r"[ ]?(?:[ap]\.m\.?|[ap]m)(?![a-z])"
CLOCK = (
    rf"{_HOUR}(?:[:.][0-5][0-9](?:[:.][0-5][0-9](?:[.,:][0-9]{{1,9}})?)?(?:{_NOON})?{_ZONE}?|{_NOON})"
    r"(?![0-9])"
)
"""A time of day behind a date, where a dot may stand for the colon."""
_THEN = rf"(?:(?:[,]?[ ]?(?:at[ ])?|t|-|:){CLOCK})?"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_YEAR = r"(?:1[6-9]|20|21)[0-9]{2}"
_NUMERIC = re.compile(
    rf"""
    (?:
        (?P<iso> {_YEAR} (?P<i>[-/.]) (?:{_MONTH} (?P=i) {_DAY} | {_DAY} (?P=i) {_MONTH})
            (?![0-9]) {_THEN} )
      | (?P<day_first> {_DAY} (?P<d>[ ]?[-/.][ ]?|[ ]) {_DAY} (?P=d) {_YEAR} (?![0-9]) {_THEN} )
      | (?P<short> (?: {_DAY} / {_DAY} / [0-9]{{2}}
            | [0-9]{{2}} (?P<s>[-.]) [0-9]{{2}} (?P=s) [0-9]{{2}} ) (?![0-9]) {_THEN} )
      | (?P<compact> {_YEAR} (?:0[1-9]|1[0-2]) (?:0[1-9]|[12][0-9]|3[01])
            [t-] (?:[01][0-9]|2[0-3]) (?: :?[0-5][0-9] ){{1,2}} (?: [.:][0-9]{{1,9}} )? z? )
      | (?P<log> (?:^|(?<=\n)) [0-9]{{2}} (?:0[1-9]|1[0-2]) (?:0[1-9]|[12][0-9]|3[01])
            [ ] (?:[01][0-9]|2[0-3]) [0-5][0-9] [0-5][0-9] (?=[ ]) )
      | (?P<no_year> [0-9]{{2}} [-/] [0-9]{{2}} [ ] [0-9]{{2}} : [0-9]{{2}} : [0-9]{{2}}
            (?: [.,][0-9]{{1,9}} )? )
      | (?P<clock> {_HOUR} : [0-5][0-9] (?: :[0-5][0-9] (?:[.,][0-9]{{1,9}})? )? (?:{_NOON})?
          | (?:1[0-2]|0?[1-9]) (?:\.[0-5][0-9])? {_NOON} | {_HOUR} h [0-5][0-9] )
    ) (?![0-9]) (?![-/:.][0-9]) (?!:[a-z0-9])
    """,
    re.VERBOSE,
)
# Where a date or a time may begin: not inside of a number, and something must follow.
_START = re.compile(
    r"[0-9](?<![0-9a-z].)(?<![0-9][-/.:,].)"
    r"(?=[0-9]{0,7}(?:[-/.:ht ][ ]?[0-9]|[ ]?[-/.][ ]|[ ]?[ap]\.?m))"
)
_SCORES = {
    "iso": 0.95,
    "day_first": 0.95,
    "short": 0.75,
    "compact": 0.85,
    "log": 0.8,
    "no_year": 0.8,
    "clock": 0.85,
}
_CHECKED = frozenset({"short", "day_first", "no_year"})  # rules that may hold two days, or months
_NUMBERS = re.compile("[0-9]+")
_MONTHS = range(1, 13)
_DAYS = range(1, 32)
_NAMES = {name: name.replace("_", " ") for name in _SCORES}


def find_dates(plain: str) -> Iterator[Span]:
    """Find dates in digits as DATE, and times of day alone as TIME."""
    low = plain.lower()
    floor = 0
    for place in _START.finditer(low):
        match = _NUMERIC.match(low, place.start()) if place.start() >= floor else None
        if match:
            rule = match.lastgroup or ""  # the outer group, since it ends last
            if rule not in _CHECKED or _is_date(match[0]):
                floor = match.end()
                label = "TIME" if rule == "clock" else "DATE"
                yield Span(*match.span(), label, _SCORES[rule], _NAMES[rule])


def _is_date(written: str) -> bool:
    """Tell whether two neighbours of the first three numbers are a month and a day."""
    first, second, third = map(int, _NUMBERS.findall(written)[:3])
    return second in _DAYS and (
        first in _MONTHS or (second in _MONTHS and (first in _DAYS or third in _DAYS))
    )
