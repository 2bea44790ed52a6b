"""Numbers of devices: IMEI, ICCID and IMSI of a SIM, VIN of a vehicle, serial numbers."""

import re
from collections.abc import Iterable, Iterator

from agent.core.find.bank import luhn
from agent.core.find.behind import heads
from agent.stages import Span

_HEADS = re.compile(
    r"""
    (?P<IMEI> imei(?:sv)? | meid )
  | (?P<ICCID> iccid | sim(?:[ ]?card)?(?=[ _-](?:number|no|id|serial)) | imsi | eid )
  | (?P<VIN> vin | vehicle[ ]identification | chassis | fahrgestellnummer | fin
      | fahrzeug-ident[a-z.]*(?:-nr\.?|nummer)? )
  | (?P<SERIAL> serial | s/n | sn | serien(?:nummer|-nr\.?)
      | n[u\u00fa]m(?:e|\u00e9)ro[ ](?:de[ ]s(?:e|\u00e9)rie|di[ ]serie) | serienummer
      | numer[ ]seryjny | (?:device|hardware|machine|android|installation|advertising|chip|cpu)
          (?=[ _-]?(?:id|uid|uuid|serial|number|identifier)(?![a-z]))(?:[ _-]?(?:uid|uuid|serial))?
      | udid | idfa | dev[ ]?eui | eui-?64 | asset[ ]?tag )
    """,
    re.VERBOSE,
)
_VALUES = {
    "IMEI": re.compile(r"[0-9]{2}(?:[ /\-]?[0-9]{6}){2}(?:[ /\-]?[0-9]{1,2})?(?![0-9A-Za-z])"),
    "ICCID": re.compile(r"(?:89(?:[ \-]?[0-9]){17,18}F?|89[0-9]{30}|[0-9]{14,15})(?![0-9A-Za-z])"),
    "VIN": re.compile(r"[A-HJ-NPR-Za-hj-npr-z0-9]{17}(?![0-9A-Za-z])"),
    "SERIAL": re.compile(
        r"(?!0x)(?=[A-Za-z\-]{0,63}[0-9])[A-Za-z0-9][A-Za-z0-9\-]{4,62}[A-Za-z0-9]"
        r"(?![0-9A-Za-z_/]|[.:][0-9A-Za-z])"
    ),
}
# Without a word, only what has a check: in what begins as today's devices do.
_LONG_RUN = re.compile(r"[A-Z0-9](?<![0-9A-Za-z.\-+].)[A-Z0-9]{14,19}(?![0-9A-Za-z]|[.\-][0-9])")
_ALONE = re.compile(
    r"(?: (?P<IMEI> (?:01|35|86|99)[0-9]{13} ) | (?P<ICCID> 89[0-9]{17,18} )"
    r"  | (?P<VIN> [A-HJ-NPR-Z0-9]{13}[0-9]{4} ) ) (?![0-9A-Za-z]|[.\-][0-9])",
    re.VERBOSE,
)
_SCORES = {"IMEI": 0.6, "ICCID": 0.8, "VIN": 0.6}
_VIN_LETTERS = 3  # a time has none
_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    **dict(zip("PR", (7, 9), strict=True)),
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_CHECK = 8  # where it stands, from 0
_LETTER = re.compile(r"[A-Za-z]")


def find_checked_devices(plain: str) -> Iterator[Span]:
    """Find numbers of devices by their check."""
    for run in _LONG_RUN.finditer(plain):
        if match := _ALONE.match(plain, run.start()):
            label = match.lastgroup or ""
            if vin(match[0]) if label == "VIN" else luhn(match[0]):
                yield Span(*match.span(), label, _SCORES[label], "check digit")


def find_devices(plain: str, lower: str, here: Iterable[str]) -> Iterator[Span]:
    """Find numbers of devices by the word before them."""
    for label, start, sure in heads(_HEADS, lower, here):
        value = _VALUES[label].match(plain, start)
        if value and (label != "SERIAL" or _is_serial(value[0], sure=sure)):
            yield Span(*value.span(), label, 1.0 if sure else 0.8, "behind its word")


def _is_serial(value: str, *, sure: bool) -> bool:
    """Tell a serial number from a port's name and, in a zone's log, from a date."""
    return sure or bool(_LETTER.search(value) and len(_LETTER.sub("", value)) > len("2026"))


def vin(text: str) -> bool:
    """Check the ninth character: 49 CFR 565.15. Vehicles for Europe need not pass."""
    if len(text) - sum(c.isdigit() for c in text) < _VIN_LETTERS:
        return False
    total = sum(_VIN_VALUES[c] * weight for c, weight in zip(text, _VIN_WEIGHTS, strict=True))
    return "0123456789X"[total % 11] == text[_VIN_CHECK]
