"""Dates written in words: months, weekdays, and years alone.

    12 Jan 2020 10:33   Monday, March 3rd, 2021   Nov 20 12:30:45   3 de mayo de 2021   in March
    in 1977   the 1990s   1998-2003   a 2017 film   Summer 2020

From each month's name outwards. A year alone needs a word that says so: "in 2048 bytes" and
"2017 Oak Street" are none.
"""

import re
from collections.abc import Iterator

from agent.core.find.behind import places
from agent.core.find.date import CLOCK
from agent.core.find.look import Look
from agent.core.find.words import words
from agent.stages import Span

_MONTHS = words(  # English, German, French, Spanish, Italian, Portuguese, Dutch; and short
    "january february march april may june july august september october november december januar"
    " februar märz maerz mai juni juli oktober dezember janvier février fevrier mars avril juin"
    " juillet août aout septembre octobre novembre décembre decembre enero febrero marzo abril"
    " mayo junio julio agosto septiembre setiembre octubre noviembre diciembre gennaio febbraio"
    " aprile maggio giugno luglio settembre ottobre dicembre janeiro fevereiro março maio junho"
    " julho setembro outubro novembro dezembro januari februari maart mei augustus jan feb mar apr"
    " jun jul aug sep sept oct okt nov dec dez dic ene ago"
)
_ALSO_WORDS = frozenset(
    {"may", "march", "mar", "mars", "mai", "mei", "ago", "jan", "dec", "august"}
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_YEAR = r"(?:1[6-9]|20|21)[0-9]{2}"
_BEFORE = re.compile(
    rf"(?<![^\W_])(?:{_WEEKDAY}[.,]{{0,2}}[ ](?:the[ ])?)?"
    rf"(?<![0-9][.,:/-])(?P<day>{_DAY})(?:st|nd|rd|th|er|\.|\u00ba)?[ /-]?(?:of[ ]|de[ ])?$"
)
_WEEKDAY_BEFORE = re.compile(rf"(?<![^\W_]){_WEEKDAY}[.,]{{0,2}}[ ]$")
_THEN = rf"(?P<clock>(?:,?[ ](?:at[ ])?|:){CLOCK}(?:[ ]{_YEAR}(?![0-9]))?)?"
_YEAR_AFTER = re.compile(
    rf"\.?(?P<year>(?:,?[ ]|[ ]?[/-]|[ ](?:of|de)[ ]){_YEAR}(?![0-9])(?!\.[0-9])"
    rf"|[ ]?['-][0-9]{{2}}(?![0-9.]))?{_THEN}"
)
_DAY_AFTER = re.compile(
    rf"\.?[ -]{{0,2}}(?:the[ ])?(?P<day>{_DAY})(?P<nth>st|nd|rd|th)?(?![0-9a-z:])(?!\.[0-9])"
    rf"(?P<year>(?:,?[ ]|[ ]?[/-]){_YEAR}(?![0-9])(?!\.[0-9])|,?[ ]'[0-9]{{2}}(?![0-9]))?{_THEN}"
)
_ALONE_BEFORE = re.compile(
    r"(?<![a-z])(?:in|since|until|till|during|by|last|next|this|early|late|mid|every|of|from|before"
    r"|after)[ -]$"
)
_DAYS_ALONE = re.compile(r"(?<![a-z-])(?:mon|tues|wednes|thurs|fri|satur|sun)days?(?![a-z])")
_WINDOW = 24  # characters before a month: "Wednesday, the 23rd of"

_FOUR = r"(?:1[89]|20)[0-9]{2}"
_YEAR_ALONE = re.compile(
    rf"{_FOUR}(?P<many>s)?(?P<range>[ ]?-[ ]?(?:{_FOUR}|present)|/[0-9]{{2}}"
    rf"|[ ](?:and|to|or)[ ]{_FOUR})?(?![0-9a-z])(?![.,:/-][0-9])(?!-[a-z])(?![ ][0-9]{{3}})"
)
_SAID_BEFORE = re.compile(
    r"(?<![a-z])(?:in|since|of|until|till|from|during|before|after|by|around|circa|ca\.?|year"
    r"|between|early|late|mid|born|b\.|est\.?|founded|established|dated|copyright|\(c\)|©"
    r"|class of|season|a|an|the)[ :-]{1,2}(?:the |year )?$"
)
_PART_BEFORE = re.compile(r"(?<![a-z])(?:spring|summer|autumn|fall|winter|q[1-4]|fy) ?$")
_UNIT = re.compile(
    r"[ ]?(?:%|\$|\u20ac|°|k?m?s(?:ec(?:ond)?s?)?|min(?:ute)?s?|hours?|days?|weeks?|months?"
    r"|[kmgt]?i?b(?:ytes?|its?)?|k?hz|rpm|[kc]?m|mm|px|pixels?|dpi|k?w|v|volts?|watts?|k?g|lbs?"
    r"|feet|ft|miles?|calories|kcal|items?|entries|records?|lines?|files?|people|users?|times"
    r"|units?|blocks?|packets?|rows?|requests?|tokens?|samples?|points?|steps?|words?|characters"
    r"|chars|pages?|messages?|events?|errors?|retries|attempts|connections?|threads?|dollars?"
    r"|euros?|pounds?|usd|eur)(?![a-z])"
)


def find_calendar(seen: Look) -> Iterator[Span]:
    """Find dates with a month's name, and years alone, as DATE; weekdays alone as TIME."""
    plain, low = seen.plain, seen.lower
    for month in sorted(_MONTHS & seen.present):
        for start in places(low, (month,)):
            end = start + len(month)
            if not low[start - 1 : start].isalnum() and not low[end : end + 1].isalpha():
                yield from _around(plain, low, start, end)
    if "day" in low:
        for match in _DAYS_ALONE.finditer(low):
            yield Span(*match.span(), "TIME", 0.8, "weekday")
    for match in _YEAR_ALONE.finditer(low):
        yield from _year(low, match)


def _around(plain: str, low: str, start: int, end: int) -> Iterator[Span]:
    """Read outwards from a month's name."""
    floor = max(0, start - _WINDOW)
    month = low[start:end]
    before = _BEFORE.search(low, floor, start)
    with_year = _YEAR_AFTER.match(low, end)
    last = with_year.end() if with_year and with_year["year"] else end
    if before:
        last = with_year.end() if with_year else end
        yield Span(before.start(), last, "DATE", 0.9, "day and month")
    elif behind := _DAY_AFTER.match(low, end):
        meant = behind["nth"] or behind["year"] or behind["clock"] or plain[start].isupper()
        if meant or month not in _ALSO_WORDS:
            weekday = _WEEKDAY_BEFORE.search(low, floor, start)
            first = weekday.start() if weekday else start
            yield Span(first, behind.end(), "DATE", 0.9, "month and day")
    elif last > end:
        yield Span(start, last, "DATE", 0.9, "month and year")
    elif plain[start].isupper() and _ALONE_BEFORE.search(low, floor, start):
        yield Span(start, end, "DATE", 0.6, "month")


def _year(low: str, match: re.Match[str]) -> Iterator[Span]:
    """Weigh what stands around four figures that may be a year."""
    start, end = match.span()
    floor = max(0, start - _WINDOW)
    before = low[floor:start]
    if before[-1:].isalnum() or before[-2:-1].isdigit() or _UNIT.match(low, end):
        return
    part = _PART_BEFORE.search(before)
    if part:
        yield Span(floor + part.start(), end, "DATE", 0.8, "year")
    elif match["many"]:
        yield Span(start, end, "DATE", 0.8, "year")
    elif _SAID_BEFORE.search(before) or _in_brackets(low, start, end) or _is_range(match):
        yield Span(start, end, "DATE", 0.7, "year")


def _in_brackets(low: str, start: int, end: int) -> bool:
    return low[start - 1 : start] == "(" and low[end : end + 1] in (")", ",")


def _is_range(match: re.Match[str]) -> bool:
    return "-" in (match["range"] or "")
