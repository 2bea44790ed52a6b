"""Dates -> their month, times -> their hour, in the writing that they came in.

    2020-03-14T10:33Z -> 2020-03     14.03.2020 -> 03.2020     March 3rd, 2020 -> March 2020
    03/04/2020 -> 2020, since nobody can tell which of the two the month is

What is not wholly understood gets None.
"""

import re

_ISO = re.compile(r"([0-9]{4}([-/.])(?:0?[1-9]|1[0-2]))(?:\2[0-3]?[0-9])?(?:[T ].*)?", re.DOTALL)
_NUMERIC = re.compile(
    r"([0-3]?[0-9])([-/. ]+)([0-3]?[0-9])([-/. ]+)([0-9]{4})(?:[,T ].*)?", re.DOTALL
)
_MONTHS_A_YEAR = 12
_CLOCK = re.compile(
    r"(?<![0-9])([0-9]{1,2})(?:(\s?[:.h]\s?)[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?"
    r"(\s?[ap]\.?m\b\.?)?(\s?(?:Z|UTC|GMT)\b|\s?[+-][0-9]{2}:?[0-9]{2}\b)?",
    re.IGNORECASE,
)
_HOURS_A_DAY = 24
_PIECE = re.compile(r"[0-9]+|[^\W\d_]+\.?|\s+|.", re.DOTALL)
_YEAR = re.compile(r"1[5-9][0-9]{2}|20[0-9]{2}|2100")
_DECADE = re.compile(r"(?:(?:1[5-9]|20)[0-9]0|'?[0-9]0)s")

# English, German, French, Spanish, Italian, Dutch, Portuguese; the shorter ones as they are.
_MONTH_NAMES = (
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "januar februar märz mai juni juli oktober dezember mär okt dez jänner "
    "janvier février mars avril juin juillet août septembre octobre novembre décembre "
    "janv févr avr juil déc "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
    "ene abr ago dic "
    "gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre "
    "gen mag giu lug set ott "
    "januari februari maart mei augustus "
    "janeiro fevereiro março maio junho julho setembro outubro novembro dezembro"
)
_DAY_NAMES = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs "
    "fri sat sun montag dienstag mittwoch donnerstag freitag samstag sonntag "
    "lundi mardi mercredi jeudi vendredi samedi dimanche "
    "lunes martes miércoles jueves viernes sábado domingo "
    "lunedì martedì mercoledì giovedì venerdì sabato domenica "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"
)
_FILLER_WORDS = "the of st nd rd th de del do di den der le er at on utc gmt"
_MONTHS, _DAYS, _FILLERS = (
    frozenset(words.split()) for words in (_MONTH_NAMES, _DAY_NAMES, _FILLER_WORDS)
)
_LAST_DAY = 31


def coarse_date(text: str) -> str | None:
    """Keep the month and the year, or the year alone."""
    text = text.strip()
    if iso := _ISO.fullmatch(text):
        return iso[1]
    if numeric := _NUMERIC.fullmatch(text):
        return _of_numbers(numeric)
    if _DECADE.fullmatch(text):
        return text
    return _of_words(text)


def _of_numbers(match: re.Match[str]) -> str | None:
    first, second = int(match[1]), int(match[3])
    if not (first and second) or min(first, second) > _MONTHS_A_YEAR:
        return None
    if max(first, second) <= _MONTHS_A_YEAR and "." not in match[2] and first != second:
        return match[5]  # 03/04: day or month first, who knows
    month = match[3] if "." in match[2] or first > _MONTHS_A_YEAR else match[1]
    return None if int(month) > _MONTHS_A_YEAR else f"{month}{match[4]}{match[5]}"


def _of_words(text: str) -> str | None:
    kept: list[str] = []
    for piece in _PIECE.findall(_CLOCK.sub(_unless_a_day, text)):
        word = piece.lower().rstrip(".")
        if word in _MONTHS or _YEAR.fullmatch(piece):
            kept.append(piece)
        elif not _says_a_day(word):
            return None
    return " ".join(kept) or None


def _unless_a_day(clock: re.Match[str]) -> str:
    """Take times out: a number alone is none."""
    return "" if clock[2] or clock[3] else clock[0]


def _says_a_day(word: str) -> bool:
    if word.isdigit():
        return len(word) <= len(str(_LAST_DAY)) and 1 <= int(word) <= _LAST_DAY
    return not word.strip(" \t,-/':") or word in _FILLERS or word in _DAYS


def coarse_time(text: str) -> str | None:
    """Keep the hour that a time lies in."""
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None or int(clock[1]) > _HOURS_A_DAY:
        return None
    hour, between, half, zone = clock.groups(default="")
    if not (between or half):
        return None
    return f"{hour}{between}00{half}{zone}" if between else f"{hour}{half}{zone}"
