"""Positions on the earth: decimal, degrees, NMEA, ISO 6709, geo: links, plus codes, lat/lon keys.

Two decimals side by side are a position only if a word says so or if they are as fine as one
(four places, which is ten metres), and never in a longer list, which is what sensors write.
"""

import re
from collections.abc import Iterable, Iterator

from agent.core.find.behind import heads, near
from agent.stages import Span

# Every pair below has this; few other texts do, and no IPv4 address by itself.
_TWO_DECIMALS = re.compile(
    r"\.(?<=[0-9].)(?<!\.[0-9].)(?<!\.[0-9]{2}.)(?<!\.[0-9]{3}.)[0-9]{2,15}"
    r"(?:[^0-9.A-DF-MP-RT-VX-Za-z]{1,8}|%2C)[0-9]{1,5}(?:\.|[ \u00b0\u00ba]{1,2}[0-9])"
)
_PAIR = re.compile(
    r"""
    (?<![\w.]) (?<![0-9][+\-])
    (?P<first> [+\-]? [0-9]{1,3} \. [0-9]{2,15} ) (?: [ ]?(?P<sign>[\u00b0\u00ba]) )?
        (?: [ ]? (?P<north>[NS]) )?
    (?P<between> [ ]?[,;/|][ ]{0,2}\n? | [ \t]{1,3} | %2C )
    (?P<second> [+\-]? [0-9]{1,3} \. [0-9]{2,15} ) (?: [ ]?[\u00b0\u00ba] )?
        (?: [ ]? (?P<east>[EWO]) )? (?! [0-9A-Za-z_] | \.[0-9] )
    """,
    re.VERBOSE,
)
_FIRST_CHARS = len("-123")  # before the point that the hint begins with
_LIST_BEFORE = re.compile(r"[0-9](?:[ ]?[,;/|][ ]?|[ \t]{1,3})$")
_LIST_AFTER = re.compile(r"[ ]?[,;/| ][ ]?[+\-]?[0-9]{1,4}\.[0-9]")
# N or S before a number, or two numbers that hang together by their signs: the next one needs it.
_COMPASS = re.compile(r"[NS](?<![A-Za-z].)(?=[ ,;/]{0,3}[0-9])|[+\-][0-9]{2,6}\.[0-9]{2,9}[+\-]")
_CARDINAL = re.compile(
    r"""
    (?<![A-Za-z0-9]) [NS] [ ]? [0-9]{1,2} (?: \.[0-9]{3,9} | (?:[\u00b0\u00ba][ ]?|[ ]) [0-9]{1,2}
        \.[0-9]{2,7} ) [\u00b0\u00ba'\u2032\u2019]? [ ,;/]{1,3}
      [EWO] [ ]? [0-9]{1,3} (?: \.[0-9]{3,9} | (?:[\u00b0\u00ba][ ]?|[ ]) [0-9]{1,2}
        \.[0-9]{2,7} ) [\u00b0\u00ba'\u2032\u2019]?
  | (?<![0-9.]) [0-9]{1,2} [ ] [0-9]{1,2}\.[0-9]{2,7} '? [ ]? [NS] [ ,;/]{1,3}
      [0-9]{1,3} [ ] [0-9]{1,2}\.[0-9]{2,7} '? [ ]? [EWO] (?![A-Za-z])
  | (?<![0-9.]) [0-9]{4} \.[0-9]{2,8} ,[NS], [0-9]{5} \.[0-9]{2,8} ,[EW]       # NMEA 0183
  | (?<![0-9A-Za-z.+\-]) [+\-][0-9]{2}(?:[0-9]{2}){0,2} \.[0-9]{2,9}
        [+\-][0-9]{3}(?:[0-9]{2}){0,2} \.[0-9]{2,9} (?: [+\-][0-9]{1,5}(?:\.[0-9]{1,5})? )? /?
    """,
    re.VERBOSE,
)
_ANGLE = (
    r"[0-9]{1,3}[ ]?(?:[\u00b0\u00ba]|deg\b)[ ]?[0-9]{1,2}(?:[.,][0-9]{1,8})?[ ]?"
    r"(?:['\u2032\u2019\u00b4]|min\b)(?:[ ]?[0-9]{1,2}(?:[.,][0-9]{1,8})?[ ]?"
    r"(?:[\"\u2033\u201d]|''|\u2032\u2032|sec\b))?"
)
_DEGREES = re.compile(
    rf"(?<![0-9.])(?:[NSEWO][ ]?{_ANGLE}|{_ANGLE}[ ]?[NSEWO](?![A-Za-z]))"
    rf"(?:[ ,;/]{{0,3}}\n?(?:[EWO][ ]?{_ANGLE}|{_ANGLE}[ ]?[EWO](?![A-Za-z])))?"
)
_GEO = re.compile(r"\bgeo:(-?[0-9]{1,2}(?:\.[0-9]{1,15})?,-?[0-9]{1,3}(?:\.[0-9]{1,15})?)")
_PLUS = re.compile(  # Open Location Code: eight places before the sign, or four in a near town
    r"(?<![0-9A-Za-z+])(?:[2-9CFGHJMPQRVWX]{4})?[2-9CFGHJMPQRVWX]{4}\+[2-9CFGHJMPQRVWX]{2,3}"
    r"(?![0-9A-Za-z+])"
)
_PLUS_HINT = re.compile(r"\+(?<=[2-9CFGHJMPQRVWX].)[2-9CFGHJMPQRVWX]{2}")
_PLUS_FULL = len("8FVC9G8F+6X")
_THREE_WORDS = re.compile(r"(?<![:/\w.])///([^\W\d_]{2,24}(?:\.[^\W\d_]{2,24}){2})(?![\w./])")
_WORDS = (
    *("gps", "coord", "koordin", "latitud", "latlon", "latlng", "lat,", "lat/", "standort", "maps"),
    *("location", "position", "geo", "posizione", "ubicaci", "locali", "fix"),
)
_FINE = 4  # decimal places
_NEAR_NOTHING = 2.0  # degrees; both smaller is a sensor's vector, or the sea off Ghana
_LATITUDE = 90.0
_LONGITUDE = 180.0
_KEYS = re.compile(
    r"""
    (?P<long> (?:gps|geo)?(?: latitud(?:e|ine)?(?:_?e7)? | longitud(?:e|ine)?(?:_?e7)?
        | breitengrad | l(?:\u00e4|ae)ngengrad ) )
  | (?P<short> (?:gps|geo)?(?: lat | lon | lng | long ) (?![a-z]) )
  | (?P<geohash> geohash ) | (?P<grid> mgrs | utmref )
    """,
    re.VERBOSE,
)
_VALUE = re.compile(r"[+\-]?[0-9]{1,10}(?:\.[0-9]{1,17})?(?![0-9A-Za-z.])[ ]?[\u00b0\u00ba]?")
_VALUES = {
    "long": _VALUE,
    "short": _VALUE,
    "geohash": re.compile(r"(?=[a-z]*[0-9])[0-9b-hjkmnp-z]{5,12}(?![0-9A-Za-z])"),
    "grid": re.compile(r"[0-9]{1,2}[C-X][ ]?[A-Z]{2}(?:[ ]?[0-9]{2,5}){2}(?![0-9A-Za-z])"),
}


def find_positions(plain: str) -> Iterator[Span]:
    """Find positions by their shape."""
    yield from _pairs(plain)
    if "\u00b0" in plain or "\u00ba" in plain or " deg" in plain:
        yield from (_span(match, 0.9, "degrees") for match in _DEGREES.finditer(plain))
    if "geo:" in plain:
        yield from (_span(match, 1.0, "geo: link") for match in _GEO.finditer(plain))
    if _PLUS_HINT.search(plain):
        codes = (match for match in _PLUS.finditer(plain) if _is_plus_code(plain, match))
        yield from (_span(match, 0.8, "plus code") for match in codes)
    if "///" in plain:
        yield from (_span(match, 0.8, "three words") for match in _THREE_WORDS.finditer(plain))


def _span(match: re.Match[str], score: float, rule: str) -> Span:
    return Span(*match.span(match.re.groups and 1), "GPS", score, rule)


def _pairs(plain: str) -> Iterator[Span]:
    if not _TWO_DECIMALS.search(plain):
        return
    if _COMPASS.search(plain):
        for match in near(_TWO_DECIMALS, _CARDINAL, plain):
            yield Span(*match.span(), "GPS", 0.9, "with cardinal points")
    done = 0
    for hint in _TWO_DECIMALS.finditer(plain):
        for start in range(max(done, hint.start() - _FIRST_CHARS), hint.start()):
            if pair := _PAIR.match(plain, start):
                done = pair.end()
                if score := _pair_score(plain, pair):
                    yield Span(*pair.span(), "GPS", score, "pair of decimals")
                break


def _pair_score(plain: str, pair: re.Match[str]) -> float:
    """Give 0 for what is no position."""
    first, second = abs(float(pair["first"])), abs(float(pair["second"]))
    if first > _LONGITUDE or second > _LONGITUDE or min(first, second) > _LATITUDE:
        return 0.0
    if pair["north"] and pair["east"]:
        return 1.0
    if pair["sign"]:
        return 0.9
    start, end = pair.span()
    if _LIST_BEFORE.search(plain, max(0, start - 5), start) or _LIST_AFTER.match(plain, end):
        return 0.0
    before = plain[max(0, start - 40) : start].lower()
    if any(word in before for word in _WORDS):
        return 0.9
    places = min(len(pair[name]) - pair[name].index(".") - 1 for name in ("first", "second"))
    loose = not pair["between"].strip() or "|" in pair["between"]
    small = first < _NEAR_NOTHING and second < _NEAR_NOTHING
    return 0.0 if places < _FINE or loose or small else 0.6


def _is_plus_code(plain: str, code: re.Match[str]) -> bool:
    written = code[0].replace("+", "")
    if written.isdigit() or written.isalpha():
        return False
    if len(code[0]) >= _PLUS_FULL:
        return True
    after = plain[code.end() : code.end() + 3].lstrip(" ,")
    return after[:1].isupper() or "plus code" in plain[max(0, code.start() - 20) : code.start()]


def find_keyed_positions(plain: str, lower: str, here: Iterable[str]) -> Iterator[Span]:
    """Find the numbers behind latitude and longitude; behind lat and lon if there are several."""
    short = []
    for key, start, sure in heads(_KEYS, lower, here):
        value = _VALUES[key].match(plain, start)
        if not value or not _is_degrees(value[0]):
            continue
        span = Span(start, start + len(value[0].rstrip()), "GPS", 0.95, f"behind a {key} word")
        if key != "short":
            yield span
        elif sure:
            short.append(span)
    if len(short) > 1:
        yield from short


def _is_degrees(value: str) -> bool:
    """Tell degrees, also those in whole millionths, from other numbers."""
    if "." not in value:
        return True
    try:
        return abs(float(value.rstrip("\u00b0\u00ba "))) <= _LONGITUDE
    except ValueError:  # a grid's letters
        return True
