"""Numbers with a check: cards, IBANs, IMEIs. And telephone numbers."""

import re

from agent.core.surrogates.draw import Draw, fill

# Ranges that card networks keep for tests, by how a card begins; they are nobody's.
_TEST_RANGES = {
    "4": "400000",
    "2": "222300",
    "34": "343434",
    "37": "378282",
    "5": "555555",
    "6": "601111",
    "3": "305693",
}
_OTHER_RANGE = "400000"
_CARD_DIGITS = range(12, 20)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_LETTER_AS_NUMBER = ord("A") - 10  # ISO 7064: A is 10
# Of the world's calling codes these have one digit or two, all others three (ITU-T E.164).
_CALLING_CODE = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9][0-9]{2}"
)
_DIALLED_ABROAD = re.compile(r"(?:\+|00)\s*")
_NANP_DIGITS = 10  # area, exchange, line
_FICTION = ("555", "01")  # exchange 555, lines 0100 to 0199 are for stories


def card(value: str, draw: Draw) -> str | None:
    """Give a card of the same network, length and grouping, with a right check digit."""
    digits = "".join(filter(str.isdecimal, value))
    if len(digits) not in _CARD_DIGITS:
        return None
    begin = next((with_ for with_ in _TEST_RANGES if digits.startswith(with_)), "")
    body = _TEST_RANGES.get(begin, _OTHER_RANGE)
    body += draw.digits(len(digits) - len(body) - 1)
    return fill(value, body + _check_digit(body))


def iban(value: str, draw: Draw) -> str | None:
    """Give an IBAN of the same country and shape, with right check digits."""
    plain = "".join(filter(str.isalnum, value)).upper()
    if not _IBAN.fullmatch(plain):
        return None
    body = draw.like(plain[4:])
    return fill(value, f"{plain[:2]}{98 - _remainder(body + plain[:2] + '00'):02}{body}")


def device_number(value: str, draw: Draw) -> str:
    """Give an IMEI or ICCID of the same shape; its check digit is right if the value's is."""
    digits = "".join(filter(str.isdecimal, value))
    like = draw.digits_like(value)
    if not digits or _check_digit(digits[:-1]) != digits[-1]:
        return like
    last = max(place for place, char in enumerate(like) if char.isdecimal())
    body = "".join(filter(str.isdecimal, like[:last]))
    return like[:last] + _check_digit(body) + like[last + 1 :]


def phone(value: str, draw: Draw) -> str:
    """Give a number with the same calling code and grouping."""
    abroad = _DIALLED_ABROAD.match(value)
    start = abroad.end() if abroad else 0
    code = _CALLING_CODE.match(value, start) if abroad else None
    start = code.end() if code else start
    rest = value[start:]
    digits = "".join(filter(str.isdecimal, rest))
    is_nanp = code[0] == "1" if code else digits[:1] not in ("0", "1")
    if is_nanp and len(digits) == _NANP_DIGITS:
        area = f"{2 + draw.below(8)}{draw.digits(2)}"
        return value[:start] + fill(rest, f"{area}{_FICTION[0]}{_FICTION[1]}{draw.digits(2)}")
    zeros = re.match(r"[^0-9]*0*", rest)
    start += zeros.end() if zeros else 0  # a trunk prefix is none of the number
    return value[:start] + draw.digits_like(value[start:])


def _check_digit(digits: str) -> str:
    """Compute the last digit by Luhn (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(number // 10 + number % 10 for number in doubled) % 10)


def _remainder(text: str) -> int:
    """Compute ISO 7064, MOD 97-10."""
    return int("".join(_as_number(char) for char in text)) % 97


def _as_number(char: str) -> str:
    return char if char.isdecimal() else str(ord(char) - _LETTER_AS_NUMBER)
