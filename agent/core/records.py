"""JSON object -> named scalars, however it is nested.

    {"patient": {"name": "Anna", "readings": [1, 2]}}
        -> patient.name = "Anna", patient.readings.0 = 1, patient.readings.1 = 2

Text that holds JSON stays text. Walked without recursion: no input can be too deep for us.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.core.errors import FieldError, SyntaxInputError, shown
from agent.core.parse import MAX_DEPTH, parsed

MAX_EXACT = 2**53  # above it a float skips whole numbers
MAX_FIELDS = 10_000
MAX_PATH_CHARS = 512  # of a field's name: deep and long ones would multiply

Scalar = float | str | bool  # what a record may hold, as it was written


@dataclass(frozen=True, slots=True)
class Fields:
    """A record as it was written."""

    values: Mapping[str, Scalar] = field(repr=False)
    empty: int = 0  # objects and lists that held nothing


def read_record(text: str) -> Fields:
    """Read a JSON object of numbers, strings and booleans, and of objects and lists of them.

    Raises:
        SyntaxInputError: Not a JSON object, or nested too deeply.
        FieldError: A missing, repeated or inexact value, or too many.
    """
    value = parsed(text)
    if not isinstance(value, dict):
        message = 'A record must be one JSON object such as {"speed": 1.5, "unit": "m/s"}.'
        raise SyntaxInputError(message)
    values: dict[str, Scalar] = {}
    empty = 0
    for place, (name, item) in enumerate(_flat(value), 1):
        label = shown(name, f"number {place}")
        if len(name) > MAX_PATH_CHARS:
            message = f"Field {label} has a name of more than {MAX_PATH_CHARS} characters."
            raise FieldError(message)
        if item in ({}, []):
            empty += 1
            continue
        if name in values:
            message = f"Field {label} is given twice, nested and by its path. Keep one."
            raise FieldError(message)
        if place > MAX_FIELDS:
            message = f"The record has more than {MAX_FIELDS} fields. Send what the task needs."
            raise FieldError(message)
        values[name] = _scalar(label, item)
    return Fields(values, empty)


def _flat(record: dict[str, object]) -> Iterator[tuple[str, object]]:
    """Give every value that holds no other, and its path; in the order of the text."""
    open_ones = [("", iter(record.items()))]
    while open_ones:
        path, items = open_ones[-1]
        for name, item in items:
            inner = f"{path}{name}"
            if not (isinstance(item, dict | list) and item):
                yield inner, item
                continue
            if len(open_ones) >= MAX_DEPTH or len(inner) > MAX_PATH_CHARS:
                message = (
                    f"The record is nested too deeply: at most {MAX_DEPTH} levels are read, "
                    f"and paths of {MAX_PATH_CHARS} characters."
                )
                raise SyntaxInputError(message)
            open_ones.append((f"{inner}.", iter(_items(item))))
            break
        else:
            open_ones.pop()


def _items(value: dict[str, object] | list[object]) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return list(value.items())
    return [(str(number), item) for number, item in enumerate(value)]


def _scalar(name: str, value: object) -> Scalar:
    match value:
        case bool() | str() | float():
            return value
        case int():
            if abs(value) > MAX_EXACT:
                message = f"Field {name} is too large to keep exactly. Write it as a string."
                raise FieldError(message)
            return float(value)
        case _:
            message = f"Field {name} is null. Leave it out, or give a number or a string."
            raise FieldError(message)
