"""Licence plates: any form behind a word for one, and three forms that nothing else has."""

import re
from collections.abc import Iterable, Iterator

from agent.core.find.behind import heads, near
from agent.stages import Span

_HEADS = re.compile(
    r"""
    (?P<plate> (?:licen[cs]e|number)?plates? | vrm | nummernschild | (?:kfz-?)?kennzeichen
      | immatriculation | plaque
      | matr[i\u00ed]cula | targa | kenteken(?:nummer)? | registreringsnummer
      | nummerpl(?:ade|\u00e5t)
      | registreringsskylt | rekisterinumero | tablica[ ]rejestracyjna | rejestracja | rendsz\u00e1m
      | spz | placa )
  | (?P<registration> reg(?:istration|\.)? )
    """,
    re.VERBOSE,
)
_PLATE = re.compile(
    r"(?=[A-Z0-9\-.\u00b7 ]{0,8}[A-Z])(?=[A-Z0-9\-.\u00b7 ]{0,8}[0-9])"
    r"[A-Z0-9]{1,8}(?:[ \-.\u00b7]{1,3}[A-Z0-9]{1,5}){0,3}(?![A-Za-z0-9])"
)
_UMLAUT_PLATE = re.compile(  # the letters that only Germany has
    r"[A-Z\u00c4\u00d6\u00dc]{1,3}[ \-]{1,3}[A-Z\u00c4\u00d6\u00dc]{1,2}[ \-]?[1-9][0-9]{0,3}[EH]?"
    r"(?![A-Za-z0-9])"
)
_PLATE_CHARS = range(4, 11)  # without what stands between
_LOWER_PLATE = re.compile(
    r"[a-z]{2}[0-9]{2} ?[a-z]{3}(?![a-z0-9])|[a-z]{2}-[0-9]{3}-[a-z]{2}(?!\w)"
)
_ALNUM = re.compile(r"[A-Z0-9]")
# Great Britain since 2001, France since 2009, Germany with its hyphen and its space.
_FORMS = re.compile(
    r"""
    (?P<british> [A-HJ-PR-Y][A-HJ-PR-Y](?:0[2-9]|[1-7][0-9])[ ][A-HJ-PR-Z]{3} (?![A-Za-z0-9]) )
  | (?P<french> [A-HJ-NP-TV-Z]{2}-[0-9]{3}-[A-HJ-NP-TV-Z]{2} (?![A-Za-z0-9\-_]) )
  | (?P<german> [A-Z\u00c4\u00d6\u00dc]{1,3}-[A-Z]{1,2}[ ][1-9][0-9]{1,3}[EH]?
      (?![A-Za-z0-9]|[.,:\-/][0-9A-Za-z]) )
    """,
    re.VERBOSE,
)
_HINT = re.compile(r"[A-Z][0-9]{2} [A-Z]{3}|-[0-9]{3}-[A-Z]|-[A-Z]{1,2} [1-9]")
_SCORES = {"british": 0.6, "french": 0.7, "german": 0.5}
_STANDARDS = ("ISO-", "DIN-", "UTF-", "IEC-", "NO-", "CAT-")


def find_plates(plain: str) -> Iterator[Span]:
    """Find plates by their form alone."""
    for match in near(_HINT, _FORMS, plain):
        form, before = match.lastgroup or "", plain[match.start() - 1 : match.start()]
        if before.isalnum() or before in tuple("-_./") or match[0].startswith(_STANDARDS):
            continue
        yield Span(*match.span(), "PLATE", _SCORES[form], f"{form} form")


def find_named_plates(plain: str, lower: str, here: Iterable[str]) -> Iterator[Span]:
    """Find plates behind a word for one."""
    for kind, start, sure in heads(_HEADS, lower, here):
        value = (
            _UMLAUT_PLATE.match(plain, start)
            or _PLATE.match(plain, start)
            or _LOWER_PLATE.match(plain, start)
        )
        if not value or len(_ALNUM.findall(value[0].upper())) not in _PLATE_CHARS:
            continue
        if kind == "plate" or sure:
            yield Span(*value.span(), "PLATE", 0.9 if sure else 0.7, f"behind a word for a {kind}")
