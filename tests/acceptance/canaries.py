"""Planted values, one of each type, and the hunt for them in whatever form they may take.

No value is anybody's: numbers are those of examples or of reserved ranges, names are made up.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

# Label -> value, and a sentence that it stands in.
CANARIES = {
    "EMAIL": ("quillon.varga@canary-post.example.org", "Write to {} today."),
    "PHONE": ("+49 30 901820 77", "Call {} about it."),
    "CARD": ("4539 5787 6362 1486", "Pay with card {} please."),
    "IBAN": ("DE89 3704 0044 0532 0130 00", "The money comes from {} again."),
    "IP": ("203.0.113.77", "The camera at {} is offline."),
    "MAC": ("02:9c:7a:4f:d1:e8", "The sensor with {} is new."),
    "URL": ("https://canary-nest.example.net/visit?id=7341", "See {} for the plan."),
    "DATE": ("23 September 1961", "She was born on {} in spring."),
    "SSN": ("219-09-9944", "Her social security number is {} by the way."),
    "POSTCODE": ("SW1A 2XQ", "The postcode is {} there."),
    "GPS": ("52.520817, 13.409419", "The pump stands at {} exactly."),
    "PLATE": ("B-KX 4711", "The licence plate {} was seen."),
    "MRN": ("00847733", "The MRN {} is open."),
    "IMEI": ("490154203237518", "The phone has IMEI {} inside."),
    "ICCID": ("8949 0200 0012 3456 787", "The SIM has ICCID {} on it."),
    "VIN": ("1M8GDM9AXKP042788", "The van has VIN {} on its door."),
    "SERIAL": ("QX7-44821-CNRY", "Its serial number {} is worn."),
    "SECRET": ("sk_live_9hQ2xVbN7LmK4pRt8WzY", "They use the API key {} everywhere."),
    "NATIONAL_ID": ("AB 48 22 91 C", "His national insurance number is {} still."),
    "DRIVER_LICENSE": ("QUILL852169V99XY", "The driving licence {} was lost."),
    "ADDRESS": ("8841 Quillon Canary Street", "They moved to {} in May."),
    "PERSON": ("Wilhelmina Quorlander", "My colleague {} will call back."),
    "LOCATION": ("Reykjavik", "The truck drives from {} to the sea."),
    "ORG": ("Quorlander & Sons Ltd", "She works for {} since spring."),
    "TITLE": ("Chief Financial Officer", "She is now {} of the firm."),
    "GROUP": ("Norwegian", "The visitor is a {} citizen."),
    "CRYPTO": ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "Send it to {} then."),
}
WITHOUT = {"TIME", "AGE"}  # the policy lets the one pass; the other is too short to hunt for
PSEUDONYMIZED = "CANARY-ESN-733412"  # a record's field with that rule
DROPPED = "Canaryman Dropwright"  # a record's field with that rule: it comes back nowhere
# Nobody's, so that it is asked and answered as it stands: what is sealed must hide it all the same.
ORDINARY = "polish the marzipanlight softly"
CONVERSATION = "Xanthippe-Quorl"  # what the asker calls it

_EDGE = 4  # characters of base64 at either end that depend on the neighbours


def sentences() -> str:
    """Write one text that holds every canary."""
    told = " ".join(sentence.format(value) for value, sentence in CANARIES.values())
    return f"{told} Please {ORDINARY}."


def planted() -> dict[str, str]:
    """Name every value that must not be seen."""
    values = {label: value for label, (value, _) in CANARIES.items()}
    hidden = {"pseudonymized": PSEUDONYMIZED, "dropped": DROPPED, "conversation": CONVERSATION}
    return values | hidden


def seen(value: str, places: Mapping[str, bytes]) -> list[str]:
    """Tell in which places a value stands, and in which form."""
    return [
        f"{form} in {place}"
        for place, content in places.items()
        for form, needle in _forms(value)
        if needle in content or needle.lower() in content.lower()
    ]


def _forms(value: str) -> Iterator[tuple[str, bytes]]:
    plain = value.encode()
    yield "plain", plain
    yield "UTF-16", value.encode("utf-16-le")
    yield "hex", plain.hex().encode()
    yield "URL", quote(value, safe="").encode()
    yield "form", quote_plus(value).encode()
    yield "JSON", json.dumps(value)[1:-1].encode()
    yield "backwards", plain[::-1]
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        yield f"base64 at {shift}", whole[_EDGE:-_EDGE]
        yield f"base64url at {shift}", base64.urlsafe_b64encode(b"\0" * shift + plain)[_EDGE:-_EDGE]
    together = "".join(filter(str.isalnum, value))
    if sum(map(str.isdigit, together)) > len(together) / 2:  # a number, however it is grouped
        yield "ungrouped", together.encode()
