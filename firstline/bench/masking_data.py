"""A file of labelled texts: what is personal in each, by the names that both sides are scored by.

    [{"full_text": ..., "spans": [{"entity_type", "start_position", "end_position"}]}] -> Case

That is the form of presidio-research; other keys are passed over. A message names the record and
never repeats its text.
"""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from firstline.exits import CommandError

# The names of presidio-research and of Presidio, and then ours, to those that both are scored by.
_TYPES = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CREDIT_CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "US_SSN": "SSN",
    "DOMAIN_NAME": "URL",
    "DATE_TIME": "DATE",
    "PERSON": "PERSON",
    "STREET_ADDRESS": "ADDRESS",
    "GPE": "LOCATION",
    "ORGANIZATION": "ORG",
    "ZIP_CODE": "ZIP",
    "PREFIX": "TITLE",
    "US_DRIVER_LICENSE": "DRIVER_LICENSE",
}
_OURS = {"CARD": "CREDIT_CARD", "TIME": "DATE", "POSTCODE": "ZIP", "GROUP": "NRP"}
_SCORED_BY = _TYPES | _OURS
PATTERNS = ("EMAIL", "PHONE", "CREDIT_CARD", "IBAN", "IP", "SSN", "URL", "DATE")
KNOWN = frozenset({*_TYPES.values(), "AGE", "NRP"})


@dataclass(frozen=True, slots=True)
class Marked:
    """Characters [start, end) of a text and the type that they are scored by."""

    start: int
    end: int
    type: str
    rule: str = ""  # which of ours found it


@dataclass(frozen=True, slots=True)
class Case:
    """A text and what is personal in it."""

    text: str = field(repr=False)
    spans: tuple[Marked, ...]
    unusable: int = 0  # labels without a character, or outside of the text; they count nowhere


class _Span(msgspec.Struct):
    entity_type: str
    start_position: int
    end_position: int


class _Record(msgspec.Struct):
    full_text: str
    spans: list[_Span]


def read_cases(path: Path) -> list[Case]:
    """Read every record of a file.

    Raises:
        CommandError: it is no such file.
        OSError: it cannot be read.
    """
    try:
        records = msgspec.json.decode(path.read_bytes(), type=list[_Record])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # names $[3], counted from 0
        raise CommandError(f"{path}: {error}") from error
    if not records:
        raise CommandError(f"{path}: no record in it")
    return [_case(record) for record in records]


def _case(record: _Record) -> Case:
    length = len(record.full_text)
    spans = tuple(
        Marked(each.start_position, each.end_position, type_of(each.entity_type))
        for each in record.spans
        if 0 <= each.start_position < each.end_position <= length
    )
    return Case(record.full_text, spans, unusable=len(record.spans) - len(spans))


def type_of(label: str) -> str:
    """What a name of a type is scored by."""
    return _SCORED_BY.get(label, label)
