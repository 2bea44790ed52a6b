"""Postcodes: behind a word for one, behind a place and its state, and forms that nothing else has.

Bare digits are no postcode: who looks for those finds every counter of a log.
"""

import re
from collections.abc import Iterable, Iterator

from agent.core.find.behind import heads, near
from agent.core.find.words import words
from agent.stages import Span

_BRITISH_AREAS = (
    "AB AL B BA BB BD BF BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY"
    " E EC EH EN EX FK FY G GL GU GX GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD"
    " LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK"
    " SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM"
    " NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR"
)
_AREAS = words(_BRITISH_AREAS)
_BRITISH = r"[A-Z]{1,2}[0-9][A-Z0-9]?[ ][0-9][ABD-HJLNP-UW-Z]{2}"
_CANADIAN = r"[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][ ][0-9][ABCEGHJ-NPRSTV-Z][0-9]"
_FORMS = re.compile(
    rf"""
    (?P<british> {_BRITISH} (?![A-Za-z0-9]) )
  | (?P<canadian> {_CANADIAN} (?![A-Za-z0-9]) )
  | (?P<country> (?:D|DE|F|FR|A|AT|CH|B|BE|L|LU|NL|DK|PL|CZ|SK|LT|LV|EE|PT|ES|IT|SI|HR|HU)-
      (?: [0-9]{{4,5}} (?![0-9]) | [0-9]{{2}}-[0-9]{{3}} | [0-9]{{3}}[ ][0-9]{{2}} )
      (?=[ ][A-Z\u00c0-\u00de][a-z\u00df-\u00ff]) )
    """,
    re.VERBOSE,
)
# The hints begin with what is rare: a pattern is searched for by its first character.
_FORM_HINT = re.compile(r" (?<=[0-9A-Z].)[0-9][A-Z]|-(?<=[A-Z].)[0-9]{2,5}[- ]")
_DUTCH = re.compile(
    r" (?<=[1-9][0-9]{3}.)(?<![0-9A-Za-z_./:,\-][0-9]{4}.)([A-Z]{2})(?=,? [A-Z][a-z']{2})"
)
_DUTCH_DIGITS = 4
_UNITS = words("AM BC AD GB HZ KB KM MB MS PM SA SD SS TB US VA")
_ZIP = re.compile(r"[ \n](?P<zip>[0-9]{5}(?:-[0-9]{4})?)(?![0-9A-Za-z]|[.:\-][0-9])")
_STATE_BEFORE = re.compile(
    rf"[A-Za-z.'\u00c0-\u024f](?P<comma>,?)[ \n](?P<state>{'|'.join(_STATES.split())})[ ]{{1,2}}$"
)
_STATE_CHARS = len("x, CA  ")
_WORDLIKE = words("OK IN OR ME HI OH ID LA MA PA DE AL CO PR MS MD DC")
_HEADS = re.compile(
    r"(?P<postcode>zip(?:[ _-]?code)?(?![a-z])|post(?:al)?[ _-]?code|code postal|plz|postleitzahl"
    r"|c[o\u00f3]digo postal|cap(?=[ ]?[:=])|cp(?=[ ]?[:=])|cep|postnummer|postnr|kod pocztowy"
    r"|ir\u00e1ny\u00edt\u00f3sz\u00e1m|ps[c\u010d]|postinumero|eircode|pin ?code(?= ?[:=]))"
)
_VALUE = re.compile(
    rf"""
    (?: {_BRITISH} | [A-Z]{{1,2}}[0-9][A-Z0-9]?[0-9][A-Z]{{2}}
      | [A-Z][0-9][A-Z][ ]?[0-9][A-Z][0-9] | [A-Z][0-9][0-9W][ ]?[A-Z0-9]{{4}}
      | (?:[A-Z]{{1,2}}-)? [0-9]{{4}}[ ]?[A-Z]{{2}} (?![A-Za-z]) | [0-9]{{5}}-[0-9]{{3,4}}
      | [0-9]{{2}}-[0-9]{{3}} | [0-9]{{3}}[ -][0-9]{{2,4}} | [0-9]{{4}}-[0-9]{{3}}
      | (?:[A-Z]{{1,2}}-)? [0-9]{{3,6}} | [A-Z]{{2,3}}[ -]?[0-9]{{3,4}}
      | [A-Z][0-9]{{4}}[A-Z]{{3}} )
    (?! [0-9A-Za-z] | [.:][0-9] )
    """,
    re.VERBOSE,
)
_LOOSE_DIGITS = 5  # of a value behind a word without a sign


def find_postcodes(plain: str) -> Iterator[Span]:
    """Find postcodes by their form, or behind a place and its state."""
    for match in near(_FORM_HINT, _FORMS, plain):
        before = plain[match.start() - 1 : match.start()]
        if before.isalnum() or before in tuple("-_./"):
            continue
        if match.lastgroup != "british" or match[0][:2].strip("0123456789") in _AREAS:
            score = 0.6 if match.lastgroup == "country" else 0.8
            yield Span(*match.span(), "POSTCODE", score, f"{match.lastgroup} form")
    for match in _ZIP.finditer(plain):
        start = match.start("zip")
        place = _STATE_BEFORE.search(plain, max(0, start - _STATE_CHARS), start)
        if place and (place["comma"] or place["state"] not in _WORDLIKE):
            yield Span(*match.span("zip"), "POSTCODE", 0.8, "behind a state")
    for match in _DUTCH.finditer(plain):
        start = match.start() - _DUTCH_DIGITS
        if match[1] not in _UNITS and not plain[max(0, start - 1) : start].isalnum():
            yield Span(start, match.end(1), "POSTCODE", 0.6, "dutch form")


def find_named_postcodes(plain: str, lower: str, here: Iterable[str]) -> Iterator[Span]:
    """Find postcodes behind a word for one."""
    for _, start, sure in heads(_HEADS, lower, here):
        value = _VALUE.match(plain, start) or _VALUE.match(plain[start : start + 12].upper())
        if value and (sure or len(value[0]) >= _LOOSE_DIGITS):
            end = start + len(value[0])
            yield Span(start, end, "POSTCODE", 0.95 if sure else 0.7, "behind its word")
