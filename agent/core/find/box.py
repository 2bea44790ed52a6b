"""Postal boxes, military addresses, street corners, and streets known by their unit alone."""

import re
from collections.abc import Iterable, Iterator

from agent.core.find.place import extended
from agent.core.find.words import words
from agent.stages import Span

_BOX = re.compile(
    r"(?<![A-Za-z])(?:(?:P\.?[ ]?O\.?[ ]?|post(?:al)?[ ]?(?:office[ ])?)box|postfach|postbus"
    r"|postboks|apartado(?:[ ](?:de[ ]correos|postal))?|casella[ ]postale|caixa[ ]postal"
    r"|bo\u00eete[ ]postale|b\.?p\.?(?=[ ][0-9]))[ ]?(?:nr\.?|no\.?|#)?[ ]?[0-9]{1,6}"
    r"(?:[ ][0-9]{2,3}(?![0-9]))?(?![0-9])",
    re.IGNORECASE,
)
_MILITARY = re.compile(
    r"(?<![A-Za-z])(?:(?:psc|cmr|unit|ship)[ ]?[0-9]{1,5},?[ ]box[ ]?[0-9]{1,5}"
    r"|us(?:s|ns|nv|cgc)[ ][^\W\d_][\w'.\-]{1,30}(?:[ ][^\W\d_][\w'.\-]{1,30})?)"
    r",?[ ]?\n?[ ]?[afd]po,?[ ]a[aep][ ]{1,2}[0-9]{5}(?:-[0-9]{4})?(?![0-9])",
    re.IGNORECASE,
)
_NAME = r"(?:(?:ul|u|av)\.[ ])?[^\Wa-z\d_][\w'\u2019\-]{0,30}\.?"
_SIDE = (
    rf"(?:[0-9]{{1,6}}[a-z]?|{_NAME}|ten(?=[ ]))"
    rf"(?:[ ](?:[0-9]{{1,5}}\.?(?![0-9])|(?:de|du|des|la|del|of|van|der)(?![a-z])|u\."
    rf"|{_NAME})){{0,6}}"
)
_CORNER = re.compile(
    r"(?<![A-Za-z])(?:the[ ])?(?:corner|intersection|junction)[ ]of[ ]"
    rf"{_SIDE}[ ](?:and|&)[ ]{_SIDE}"
)
_UNIT = re.compile(r"(?<![a-z])(?:suite|apt\.?|apartment)[ ]{1,2}#?[0-9]{1,5}", re.IGNORECASE)
# What stands before a unit: 28030 Edeby 55, or 94941 Heatherleigh.
_BEFORE = re.compile(
    r"(?:(?<![\w.])[0-9]{1,6}[ ])?(?:[0-9]{1,6}[ ](?=[^\W\d_])"
    r"|(?=[^\W\d_](?:[^\d\n]{1,40}[ ])[0-9]{1,5}))"
    r"(?:[^\W\d_][\w'\u2019.\-]{0,30}[ ]){0,3}[^\W\d_][\w'\u2019.\-]{0,30}"
    r"(?:[ ][0-9]{1,5}[A-Za-z]?\.?)?(?:[ ][^\W\d_][\w'\-]{0,30}){0,2}[,.]?[ ]?\n?[ ]{0,2}$"
)
_BEFORE_CHARS = 64


MILITARY_WORDS = words("apo fpo dpo")
CORNER_WORDS = words("corner intersection junction")
UNIT_WORDS = words("suite apt apartment")
BOX_WORDS = (
    MILITARY_WORDS
    | CORNER_WORDS
    | UNIT_WORDS
    | words("box pobox postbox postfach postbus postboks apartado casella caixa bo\u00eete bp")
)


def find_boxes(plain: str, here: Iterable[str], streets: Iterable[Span]) -> Iterator[Span]:
    """Find addresses that have no word for a street, beside those that have one."""
    if not MILITARY_WORDS.isdisjoint(here):
        for match in _MILITARY.finditer(plain):
            yield Span(*match.span(), "ADDRESS", 1.0, "military")
    for match in _BOX.finditer(plain):
        yield Span(match.start(), extended(plain, match.end())[0], "ADDRESS", 0.9, "postal box")
    if not CORNER_WORDS.isdisjoint(here):
        for match in _CORNER.finditer(plain):
            end = match.end() - (plain[match.end() - 1] == ".")
            yield Span(match.start(), end, "ADDRESS", 0.7, "corner")
    if not UNIT_WORDS.isdisjoint(here):
        yield from _by_unit(plain, sorted((span.start, span.end) for span in streets))


def _by_unit(plain: str, streets: list[tuple[int, int]]) -> Iterator[Span]:
    done = 0
    for unit in _UNIT.finditer(plain):
        while streets and streets[0][0] <= unit.start():
            done = max(done, streets.pop(0)[1])
        if unit.start() < done:
            continue
        before = _BEFORE.search(plain, max(done, unit.start() - _BEFORE_CHARS), unit.start())
        if before or unit[0][0].isupper() or "." in unit[0]:
            start = before.start() if before else unit.start()
            text = before[0].rstrip(" \n,") if before else unit[0]
            done = extended(plain, start + len(text))[0]
            yield Span(start, done, "ADDRESS", 0.7, "a unit")
