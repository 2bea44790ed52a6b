"""A date -> another day of its month, in the same writing. A weekday that it names stays right."""

import re

from agent.core.surrogates.draw import Draw

_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?P<day>[0-3]?[0-9])"
_ORDINAL = r"(?P<ordinal>st|nd|rd|th)?"
_IN_WORDS = re.compile(
    rf"\b{_DAY}{_ORDINAL}\.?[ -]*(?:of )?{_MONTHS}(?![a-z])", re.ASCII | re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"\b{_MONTHS}[ -]*{_DAY}{_ORDINAL}(?![0-9:a-z])", re.ASCII | re.IGNORECASE
)
_YEAR_FIRST = re.compile(rf"\b[0-9]{{4}}([-/.])[01]?[0-9]\1{_DAY}(?![0-9])", re.ASCII)
_NUMBERS = re.compile(
    r"\b(?P<one>[0-3]?[0-9])([-/.])(?P<two>[0-3]?[0-9])\2(?:[0-9]{4}|[0-9]{2})\b", re.ASCII
)
_WEEKDAY = re.compile(r"\b(?:mon|tue|wed|thu|fri|sat|sun)", re.IGNORECASE)
_MINUTES = re.compile(r"(?<=:)[0-5][0-9]", re.ASCII)
_LAST_DAY = 28  # every month has it
_MONTHS_OF_YEAR = 12
_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def date(value: str, draw: Draw) -> str | None:
    """Move the day within its month, and the minutes within their hour."""
    found = _day(value)
    if found is None:
        return None
    start, end, days, in_numbers = found
    old = int(value[start:end])
    if _WEEKDAY.search(value):
        days = [day for day in days if (day - old) % 7 == 0]
    days = [day for day in days if day != old]
    if not days:
        return None
    new = draw.pick(days)
    padded = value[start] == "0" or (in_numbers and end - start > 1)
    written = f"{new:02}" if padded else str(new)
    rest = re.sub(r"^(?:st|nd|rd|th)\b", lambda _: _ending(new), value[end:], flags=re.IGNORECASE)
    return _MINUTES.sub(lambda _: f"{draw.below(60):02}", value[:start] + written + rest)


def _day(value: str) -> tuple[int, int, list[int], bool] | None:
    """Find the day's digits, the days that they may become, and whether the month has digits."""
    days = list(range(1, _LAST_DAY + 1))
    for pattern in (_YEAR_FIRST, _IN_WORDS, _MONTH_FIRST):
        if found := pattern.search(value):
            return *found.span("day"), days, pattern is _YEAR_FIRST
    found = _NUMBERS.search(value)
    if found is None:
        return None
    one, two = int(found["one"]), int(found["two"])
    if two > _MONTHS_OF_YEAR:
        return *found.span("two"), days, True
    if one <= _MONTHS_OF_YEAR and found[2] == "/":  # of two months: either way it stays a date
        return *found.span("two"), days[:_MONTHS_OF_YEAR], True
    return *found.span("one"), days, True


def _ending(day: int) -> str:
    return "th" if day in _TEENS else _ENDINGS.get(day % 10, "th")
