"""Personal data -> something coarser in the same writing, or nothing.

    AGE       43 -> 40-49            DATE  12 March 1980 -> March 1980
    POSTCODE  90210 -> 902**         TIME  10:33 pm -> 10:00 pm
    GPS       52.5163 -> 52.5        IP    192.0.2.17 -> 192.0.2.0/24

What cannot be read gets None: whoever asked must mask it. What comes out is not restored.
"""

import re
from collections.abc import Callable, Mapping

from agent.core.find.address import is_v6
from agent.core.find.fold import fold
from agent.core.generalize_dates import coarse_date, coarse_time

# 45 CFR 164.514(b)(2)(i)(C): ages over 89 are one category.
_OLD = 90
_OLDEST = 130
_AGE = re.compile(r"[0-9]{1,3}")
_AGE_WORDS = frozenset(("", "y", "o", "yo", "yr", "yrs", "year", "years", "old", "age", "aged"))
# 164.514(b)(2)(i)(B): three digits of a ZIP code, and 000 where 20,000 people or fewer share
# them (Census 2000, as the HHS guidance of 2012 lists them).
_ZIP_DIGITS = 3
_FEW = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893"
_FEW_PEOPLE = frozenset(_FEW.split())
_ZIP = re.compile(r"[0-9]{5}(?:-[0-9]{4})?")
_POSTCODE = re.compile(r"[0-9A-Za-z](?:[ -]?[0-9A-Za-z]){3,9}")
_FIRST_DIGITS = 2  # of other postcodes
_V4 = re.compile(r"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})\.[0-9]{1,3}")
_V6_SITE = 3  # groups of a /48, which is one site (RFC 6177)
_DECIMAL = re.compile(r"[0-9]{1,3}\.[0-9]+")
_NO_DEGREES = re.compile(r"[0-9'\u2032\u2033]")  # a whole number, or minutes and seconds
_WORD = re.compile(r"[^\W\d_]{2,}")
_GPS_WORDS = frozenset(("lat", "latitude", "lon", "lng", "long", "longitude", "geo"))


def generalize(label: str, text: str) -> str | None:
    """Make a value of this type coarser, if it can be read."""
    coarser = _COARSER.get(label)
    return coarser(fold(text)) if coarser else None


def coarse_number(number: float) -> float:
    """Keep one significant digit, towards zero: 43 -> 40, 0.27 -> 0.2."""
    digit, _, power = f"{number:.9e}".partition("e")
    return float(f"{digit.partition('.')[0]}e{power}")


def _age(text: str) -> str | None:
    numbers = list(_AGE.finditer(text))
    words = re.split(r"[^a-z]+", _AGE.sub(" ", text).lower())
    if len(numbers) != 1 or not _AGE_WORDS.issuperset(words) or int(numbers[0][0]) > _OLDEST:
        return None
    age, (start, end) = int(numbers[0][0]), numbers[0].span()
    band = f"{_OLD}+" if age >= _OLD else f"{age // 10 * 10}-{age // 10 * 10 + 9}"
    return text[:start] + band + text[end:]


def _postcode(text: str) -> str | None:
    if _ZIP.fullmatch(text):
        first = text[:_ZIP_DIGITS]
        return ("000" if first in _FEW_PEOPLE else first) + _starred(text[_ZIP_DIGITS:])
    if not _POSTCODE.fullmatch(text):
        return None
    area = re.match(rf"[A-Za-z]{{1,2}}|[0-9]{{{_FIRST_DIGITS}}}", text)
    return None if area is None else area[0] + _starred(text[area.end() :])


def _starred(text: str) -> str:
    return re.sub(r"[0-9A-Za-z]", "*", text)


def _ip(text: str) -> str | None:
    if v4 := _V4.fullmatch(text):
        return f"{v4[1]}.0/24"
    if not is_v6(text):
        return None
    head, _, tail = text.lower().partition("::")
    groups = [group for group in head.split(":") if group]
    if "::" in text:  # what it stands for is zeros, unless the tail is long
        count = sum(2 if "." in group else 1 for group in tail.split(":") if group)
        groups += ["0"] * (8 - len(groups) - count) + tail.split(":")
    return ":".join(group.lstrip("0") or "0" for group in groups[:_V6_SITE]) + "::/48"


def _gps(text: str) -> str | None:
    """Keep one decimal, about 11 km; degrees with minutes are not read."""
    rest = _DECIMAL.sub("", text)
    words = {word.lower() for word in _WORD.findall(rest)}
    if rest == text or _NO_DEGREES.search(rest) or not words <= _GPS_WORDS:
        return None
    return _DECIMAL.sub(lambda match: f"{float(match[0]):.1f}", text)


_COARSER: Mapping[str, Callable[[str], str | None]] = {
    "AGE": _age,
    "DATE": coarse_date,
    "GPS": _gps,
    "IP": _ip,
    "POSTCODE": _postcode,
    "TIME": coarse_time,
}
GENERALIZABLE = frozenset(_COARSER)
