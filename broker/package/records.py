"""A record to the numbers its model takes: its numbers in order, then each string's category.

    {"T50": 1402.1, "trend_T50": "rising"} -> (1, N + S) float32, or {"T50": 1402.1, ...}

A category is its place in the package's list, as a number: models are tables, and a table
of a few rows needs no second input.
"""

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from broker.package.errors import InputMismatchError
from broker.package.inputs import RecordInput
from broker.package.wording import is_placeholder
from broker.wire.payload import Record

_LARGEST = float(np.finfo(np.float32).max)


def record_numbers(record: Record, wanted: RecordInput) -> NDArray[np.float32]:
    """Prepare one record for its model.

    Raises:
        InputMismatchError: a field is missing, unknown, of the wrong type, or has a category
            that the model has never seen.
    """
    _check_fields(record, wanted)
    numbers = [_number(name, record.fields[name]) for name in wanted.numbers]
    places = [_place(name, record.fields[name], among) for name, among in wanted.strings]
    return np.array([[*numbers, *places]], dtype=np.float32)


def record_columns(
    record: Record, wanted: RecordInput, texts: Collection[str]
) -> dict[str, float | str]:
    """Prepare one record for a model with an input for each field; `texts` go as they are.

    Raises:
        InputMismatchError: see `record_numbers`.
    """
    _check_fields(record, wanted)
    columns: dict[str, float | str] = {
        name: _number(name, record.fields[name]) for name in wanted.numbers
    }
    for name, among in wanted.strings:
        place = _place(name, record.fields[name], among)
        columns[name] = str(record.fields[name]) if name in texts else place
    return columns


def _check_fields(record: Record, wanted: RecordInput) -> None:
    known = {*wanted.numbers, *(name for name, _ in wanted.strings)}
    missing = known - record.fields.keys()
    # A pseudonym says whom the record is about: the answer carries it, the model needs it not.
    unknown = {n for n, v in record.fields.items() if n not in known and not is_placeholder(v)}
    if missing:
        raise InputMismatchError(f"the record has no field {_named(missing)}; the model needs it")
    if unknown:
        raise InputMismatchError(
            f"the model knows no field {_named(unknown)}; drop it in the task's mask rules"
        )


def _number(name: str, value: float | str) -> float:
    if isinstance(value, str):
        raise InputMismatchError(f"field {name} is a string; the model takes a number there")
    if not math.isfinite(value):
        raise InputMismatchError(f"field {name} is not a finite number")
    if abs(value) > _LARGEST:
        raise InputMismatchError(f"field {name} is too large for the model")
    return value


def _place(name: str, value: float | str, among: tuple[str, ...]) -> int:
    if not isinstance(value, str):
        raise InputMismatchError(f"field {name} is a number; the model takes a string there")
    if not among:
        return 0  # any string will do; the model gets it as it is
    if value not in among:
        # The value itself may be personal: it is not repeated.
        raise InputMismatchError(f"field {name} must be one of {', '.join(among)}")
    return among.index(value)


def _named(names: set[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
