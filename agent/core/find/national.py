"""National identity numbers that stand for themselves: by their form, and their check digits.

Those whose form many numbers share need a word before them: `identity.py`.
"""

import re
from collections.abc import Callable, Iterator

from agent.core.find import checks
from agent.core.find.bank import luhn
from agent.stages import Span

_DMY = r"(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}"
_YMD = r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
# Where a number may begin; none of the forms below is shorter.
_START = re.compile(r"[0-9](?<![0-9A-Za-z].)(?<![0-9][-/.+].)(?=[0-9A-Z .+/\-]{10})")
_DIGITS = re.compile(
    rf"""
    (?: (?P<ssn> (?!000|666) [0-9]{{3}} (?P<between>[- ]) (?!00) [0-9]{{2}} (?P=between)
          (?!0000) [0-9]{{4}} )
      | (?P<cpf> [0-9]{{3}} \. [0-9]{{3}} \. [0-9]{{3}} - [0-9]{{2}} )
      | (?P<ahv> 756 [. ] [0-9]{{4}} [. ] [0-9]{{4}} [. ] [0-9]{{2}} )
      | (?P<hetu> {_DMY} [-+A-FU-Y] [0-9]{{3}} [0-9A-Y] )
      | (?P<personnummer> (?:19|20)? {_YMD} [-+] [0-9]{{4}} )
      | (?P<rodne_cislo> [0-9]{{2}} (?:[05][1-9]|[16][0-2]) [0-3][0-9] / [0-9]{{4}} )
      | (?P<rijksregister> [0-9]{{2}} \. (?:0[1-9]|1[0-2]) \. [0-3][0-9] - [0-9]{{3}}
          [.-] [0-9]{{2}} )
      | (?P<nir> [12] [ ]? [0-9]{{2}} [ ]? (?:0[1-9]|1[0-2]|[2-9][0-9]) [ ]? (?:[0-9]{{2}}|2[AB])
          [ ]? [0-9]{{3}} [ ]? [0-9]{{3}} [ ]? [0-9]{{2}} )
      | (?P<fodselsnummer> {_DMY} [ ]? [0-9]{{5}} )
    ) (?![0-9A-Za-z]) (?![-/.][0-9])
    """,
    re.VERBOSE,
)
_LETTERS = re.compile(
    r"""
    [A-Z] (?<![0-9A-Za-z].) (?:
        (?P<codice_fiscale> [A-Z]{5} [ ]? [0-9]{2} [A-EHLMPRST] [0-9]{2} [ ]? [A-Z] [0-9]{3} [A-Z] )
      | (?P<curp> [A-Z]{3} [0-9]{6} [HMX] [A-Z]{5} [0-9A-Z] [0-9] )
      | (?P<nino> (?<![DFIQUV]) (?!BG|GB|NK|KN|TN|NT|ZZ) [A-CEGHJ-NPR-TW-Z]
          (?: [ ]? [0-9]{2} ){3} [ ]? [A-D] )
      | (?P<nie> (?<=[XYZ]) -? [0-9]{7} -? [A-Z] )
    ) (?![0-9A-Za-z])
    """,
    re.VERBOSE,
)
_CHECKS: dict[str, Callable[[str], bool]] = {
    "cpf": checks.cpf,
    "ahv": checks.ahv,
    "hetu": checks.hetu,
    "personnummer": lambda digits: luhn(digits[-10:]),
    "rodne_cislo": checks.rodne_cislo,
    "rijksregister": checks.rijksregister,
    "nir": checks.nir,
    "fodselsnummer": checks.fodselsnummer,
    "codice_fiscale": checks.codice_fiscale,
    "curp": checks.curp,
    "nie": checks.dni,
}
_SCORES = {"fodselsnummer": 0.6, "personnummer": 0.7, "hetu": 0.85, "nino": 0.8}
_HYPHENS = 0.85
_SPACES = 0.45  # 512 64 1024: three numbers
_NOT_WRITTEN = re.compile(r"[^0-9A-Z]")


def find_national_ids(plain: str) -> Iterator[Span]:
    """Find social security numbers of the United States, and other countries' numbers."""
    floor = 0
    for place in _START.finditer(plain):
        match = _DIGITS.match(plain, place.start()) if place.start() >= floor else None
        if match and match["ssn"]:
            floor = match.end()
            score = _HYPHENS if match["between"] == "-" else _SPACES
            yield Span(*match.span(), "SSN", score, "SSN form")
        elif match:
            yield from _checked(match)


def find_lettered_ids(plain: str) -> Iterator[Span]:
    """Find those that hold letters, as in Italy, Mexico, Spain and the United Kingdom."""
    for match in _LETTERS.finditer(plain):
        yield from _checked(match)


def _checked(match: re.Match[str]) -> Iterator[Span]:
    rule = match.lastgroup or ""
    check = _CHECKS.get(rule)
    written = _NOT_WRITTEN.sub("", match[0])
    if rule == "hetu":
        written = written[:6] + match[0][-4:]
    if check is None or check(written):
        yield Span(*match.span(), "NATIONAL_ID", _SCORES.get(rule, 0.9), rule.replace("_", " "))
