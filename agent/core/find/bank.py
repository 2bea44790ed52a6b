"""Payment cards and IBANs: both carry a check, so a match is rarely chance."""

import re
from collections.abc import Iterator

from agent.stages import Span

# A card's digits may be in groups; so may a list of sensor values, which is why a grouping
# must look like a card's and a long list needs a known network.
_TRAIN = re.compile(r"[0-9]+(?:[ \t\r\n.\-]{1,3}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_CARD_DIGITS = range(12, 20)  # ISO/IEC 7812-1: at most 19
_GROUP_DIGITS = 4  # the fewest in a group that is not the last
_UATP = 15  # cards that begin with 1; a Unix time has 10, 13, 16 or 19 digits
_ODD_GROUP = re.compile(r"(?:[0-9]{1,3}|[0-9]{5,})[^0-9]")  # only known networks begin so
_COUNTRY_CODE = re.compile(r"\+[0-9]{0,3}[ ]?$")
_GLUED = 15  # beside letters, shorter numbers are serials
_PHONE_DIGITS = 15  # E.164: behind a plus sign, so many digits are no card
_LIST_GROUPS = 8  # two cards; more groups are a list of numbers
_NETWORK = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}"  # American Express
    r"|3(?:0[0-5]|[689][0-9])[0-9]{11}"  # Diners
    r"|35[0-9]{14}|(?:6011|64[4-9][0-9]|65[0-9]{2}|62[0-9]{2})[0-9]{12,15}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])[0-9]{8,15}"  # Maestro
)

# ISO 13616, registry of the 2024 release: country -> characters.
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FK", "FO", "FI", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
_IBAN_CHECK = re.compile(r"[0-9][0-9](?<=[A-Za-z]{2}..)")  # the two digits behind the country
_IBAN_REST = re.compile(r"(?:[ \t\r\n.\-]{0,2}[A-Za-z0-9]){11,29}")
_ALNUM = re.compile(r"[A-Za-z0-9]")


def find_cards(plain: str) -> Iterator[Span]:
    """Find 12 to 19 digits that pass the Luhn check, in one piece or in groups."""
    for train in _TRAIN.finditer(plain):
        written = train[0]
        size = len(written)
        if size in _CARD_DIGITS or (size > _CARD_DIGITS.start and not written.isdecimal()):
            groups = [match.span() for match in _GROUP.finditer(plain, *train.span())]
            yield from _cards(plain, groups)


def _cards(plain: str, groups: list[tuple[int, int]]) -> Iterator[Span]:
    # From every group, because one that passes by chance may reach into a real card;
    # where they overlap, all is masked.
    strict = len(groups) > _LIST_GROUPS
    for first in range(len(groups)):
        last = _last_group(plain, groups, first, strict=strict)
        if last is not None:
            start, end = groups[first][0], groups[last][1]
            yield Span(start, end, "CARD", _score(_digits(plain[start:end])), "Luhn")


def _score(digits: str) -> float:
    if _NETWORK.fullmatch(digits):
        return 1.0
    return 0.7 if digits[0] in "123456" else 0.4  # others only behind a word such as "card"


def _last_group(
    plain: str, groups: list[tuple[int, int]], first: int, *, strict: bool
) -> int | None:
    """Give the last group of the longest card that begins with the first."""
    best = None
    total = 0
    for last in range(first, len(groups)):
        start, end = groups[last]
        total += end - start
        if total >= _CARD_DIGITS.stop:
            break
        if total in _CARD_DIGITS and _is_card(plain, groups[first][0], end, strict=strict):
            best = last
        if end - start < _GROUP_DIGITS:
            break
    return best


def _is_card(plain: str, start: int, end: int, *, strict: bool) -> bool:
    written = plain[start:end]
    digits = _digits(written)
    listed = strict or _ODD_GROUP.match(written)
    if listed and not _NETWORK.fullmatch(digits):
        return False
    glued = bool(_ALNUM.match(plain[start - 1 : start]) or _ALNUM.match(plain, end))
    if glued and len(digits) < _GLUED:
        return False
    if len(digits) <= _PHONE_DIGITS and _COUNTRY_CODE.search(plain, max(0, start - 6), start):
        return False
    return _may_begin(digits) and _is_not_decimal(plain, start, end) and luhn(digits)


def _may_begin(digits: str) -> bool:
    if digits[0] == "1":
        return len(digits) == _UATP
    return digits[0] in "2345689" and not digits.startswith("20")  # 20: a time such as 20261120...


def _is_not_decimal(plain: str, start: int, end: int) -> bool:
    """Tell 4111.1111.1111.1111 from 0.4111111111111111 and 4111.1111 2.5."""
    if plain[start - 1 : start] == "." and plain[start - 2 : start - 1].isdigit():
        return False
    separators = set(plain[start:end]) - set("0123456789")
    return "." not in separators or separators == {"."}


def _digits(text: str) -> str:
    return "".join(_GROUP.findall(text))


def luhn(digits: str) -> bool:
    """Check the last digit: ISO/IEC 7812-1, annex B."""
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0


def find_ibans(plain: str) -> Iterator[Span]:
    """Find IBANs of a known country, its length and a right check, with spaces or without."""
    for check in _IBAN_CHECK.finditer(plain):
        start = check.start() - len("DE")
        wanted = _IBAN_LENGTHS.get(plain[start : start + 2].upper(), 0) - len("DE89")
        rest = _IBAN_REST.match(plain, check.end()) if wanted > 0 else None
        if rest and _may_stand(plain, start):
            places = [match.end() for match in _ALNUM.finditer(plain, *rest.span())]
            end = places[wanted - 1] if wanted <= len(places) else 0
            written = "".join(_ALNUM.findall(plain[start:end]))
            if end and not plain[end : end + 1].isdigit() and mod_97(written):
                yield Span(start, end, "IBAN", 1.0, "mod 97")


def _may_stand(plain: str, start: int) -> bool:
    """Refuse the middle of a word, unless the word before is IBAN itself."""
    before = plain[max(0, start - 4) : start]
    return not _ALNUM.match(before[-1:]) or before.upper() == "IBAN"


def mod_97(iban: str) -> bool:
    """Check the digits behind the country: ISO 7064, mod 97-10."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1
