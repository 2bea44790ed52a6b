"""Stand-ins that look like what they stand for, for models that need natural text.

A card stays a card of its length that every parser takes, a date a date of its month, a name a
name. What has no such form, or is too short to be found again in an answer, gets none: an age, a
title, a weekday.
"""

import re
from collections.abc import Callable, Mapping

from agent.core.surrogates.dates import date
from agent.core.surrogates.draw import Draw
from agent.core.surrogates.network import email, ip, mac, url
from agent.core.surrogates.numbers import card, device_number, iban, phone
from agent.core.surrogates.words import address, location, organisation, person

Make = Callable[[str, Draw], str | None]
_FEWEST = 4  # letters and digits; fewer stand in many an answer by themselves
_NUMBER = re.compile(r"[0-9]+")
_DEGREES = 60  # below it a number may be degrees, minutes or seconds
_LONG_WAY_ROUND = (100, 80)  # longitudes of three digits: 100 to 179


def _like(value: str, draw: Draw) -> str:
    return draw.like(value)


def _position(value: str, draw: Draw) -> str:
    """Move a position anywhere, in the same writing."""

    def number(match: re.Match[str]) -> str:
        size = len(match[0])
        if value[match.start() - 1 : match.start()] == "." or size > len("179"):
            return draw.digits(size)
        if size == len("179"):
            return str(_LONG_WAY_ROUND[0] + draw.below(_LONG_WAY_ROUND[1]))
        return str(draw.below(10) if size == 1 else 10 + draw.below(_DEGREES - 10))

    return _NUMBER.sub(number, value)


MAKERS: Mapping[str, Make] = {
    "CARD": card,
    "IBAN": iban,
    "PHONE": phone,
    "IMEI": device_number,
    "ICCID": device_number,
    "EMAIL": email,
    "IP": ip,
    "MAC": mac,
    "URL": url,
    "DATE": date,
    "PERSON": person,
    "LOCATION": location,
    "ORG": organisation,
    "ADDRESS": address,
    "GPS": _position,
    **dict.fromkeys(
        ("SSN", "NATIONAL_ID", "DRIVER_LICENSE", "POSTCODE", "PLATE", "MRN", "VIN", "SERIAL"), _like
    ),
    **dict.fromkeys(("SECRET", "CRYPTO"), _like),
}


def surrogate(label: str, value: str, *, key: bytes, attempt: int) -> str | None:
    """Make a stand-in, another one at each attempt; None if there is none for such a value."""
    make = MAKERS.get(label)
    if make is None or (not value.isascii() and make in _OF_ASCII):
        return None
    made = make(value, Draw(key, label, value, str(attempt)))
    enough = made is not None and sum(map(str.isalnum, made)) >= _FEWEST
    return made if enough else None


_OF_ASCII = frozenset((card, iban, phone, device_number, ip, mac, date, _position))
