"""Bytes -> values, once, at the door.

    bytes --decode--> str --read_record--> {name: number, string or boolean}
                       `----read_table---> Table(channels, rate_hz, rows)

Nothing here knows what the task expects; `clean` compares and normalises.
"""

import csv
import json
from dataclasses import dataclass, field

from agent.core.errors import (
    ChannelsError,
    EmptyInputError,
    FieldError,
    NotTextError,
    RateError,
    SampleError,
    SyntaxInputError,
    shown,
)

MAX_EXACT = 2**53  # above it a float skips whole numbers
_MOST_INT_DIGITS = 20  # longer whole numbers are read as floats; int() would take square time
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_RATE_MARK = "rate_hz"
_SHAPE_HINT = 'send {"channels": [...], "rate_hz": 1.0, "samples": [[...], ...]}'


Scalar = float | str | bool  # what a record may hold, as it was written


@dataclass(frozen=True, slots=True)
class Table:
    """Samples as they were written: T rows of C numbers, perhaps not finite."""

    channels: tuple[str, ...]  # C names
    rate_hz: float | None  # None: not said
    rows: list[list[float]] = field(repr=False)  # (T, C)


def decode(data: bytes) -> str:
    """Read UTF-8, with or without a byte order mark.

    Raises:
        NotTextError: Not UTF-8, or a zero byte, which no text holds.
    """
    if data.startswith(_UTF_16):
        message = "The input is UTF-16, not UTF-8 (byte 0). Save it as UTF-8."
        raise NotTextError(message)
    zero = data.find(0)
    if zero >= 0:
        message = f"The input is binary: zero byte at offset {zero}. Send UTF-8 text."
        raise NotTextError(message)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # "utf-8-sig" counts from behind the mark.
        offset = error.start + len(data) - len(error.object)
        message = f"The input is not UTF-8: bad byte at offset {offset}. Save it as UTF-8."
        raise NotTextError(message) from None


def read_record(text: str) -> dict[str, Scalar]:
    """Read a JSON object of numbers, strings and booleans.

    Raises:
        SyntaxInputError: Not a JSON object.
        FieldError: A nested, missing, repeated or inexact value.
    """
    value = _json(text)
    if not isinstance(value, dict):
        message = 'A record must be one JSON object such as {"speed": 1.5, "unit": "m/s"}.'
        raise SyntaxInputError(message)
    return {
        name: _scalar(shown(name, f"number {place}"), item)
        for place, (name, item) in enumerate(value.items(), 1)
    }


def read_table(text: str) -> Table:
    """Read samples from JSON, or from CSV whose first line names the channels.

    A CSV may say its rate in a line of its own above the header: `# rate_hz: 100`.

    Raises:
        SyntaxInputError: Neither JSON of that shape nor CSV.
        WindowError: Ragged rows, a rate or a sample that is no number.
    """
    return _json_table(text) if text.lstrip()[:1] in ("{", "[") else _csv_table(text)


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole)
    except json.JSONDecodeError as error:
        message = f"Invalid JSON at line {error.lineno}, column {error.colno}: {error.msg}."
        raise SyntaxInputError(message) from None
    except RecursionError:
        message = "The JSON is nested too deeply. Send one flat object."
        raise SyntaxInputError(message) from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        place = next(n for n, name in enumerate(names) if name in names[:n])
        message = f"Field {shown(names[place], f'number {place + 1}')} is given twice. Keep one."
        raise FieldError(message)
    return result


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_INT_DIGITS else float(digits)


def _scalar(name: str, value: object) -> Scalar:
    match value:
        case bool() | str() | float():
            return value
        case int():
            if abs(value) > MAX_EXACT:
                message = f"Field {name} is too large to keep exactly. Write it as a string."
                raise FieldError(message)
            return float(value)
        case dict():
            inner = next(iter(value), "")
            message = (
                f"Field {name} is nested (it holds {shown(inner, 'a field')}). "
                "Flatten the record: numbers and strings only."
            )
        case list():
            message = f"Field {name} is a list. Give each value a field of its own."
        case _:
            message = f"Field {name} is null. Leave it out, or give a number or a string."
    raise FieldError(message)


def _json_table(text: str) -> Table:
    match _json(text):
        case {"channels": list(names), "samples": list(rows), **rest}:
            rate = rest.get(_RATE_MARK)
        case _:
            message = f"A window in JSON lacks its channels or samples: {_SHAPE_HINT}."
            raise SyntaxInputError(message)
    channels = tuple(name for name in names if isinstance(name, str))
    if len(channels) < len(names):
        message = f"A channel's name is not a string: {_SHAPE_HINT}."
        raise SyntaxInputError(message)
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float)):
        message = "rate_hz is not a number. Give samples per second, such as 1.0."
        raise RateError(message)
    table = [_json_row(number, row, channels) for number, row in enumerate(rows, 1)]
    return Table(channels, None if rate is None else float(rate), table)


def _json_row(number: int, row: object, channels: tuple[str, ...]) -> list[float]:
    if not isinstance(row, list):
        message = f"Row {number} is not a list of numbers: {_SHAPE_HINT}."
        raise SyntaxInputError(message)
    _check_width(number, len(row), channels)
    for place, value in enumerate(row):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SampleError(_no_number(number, channels, place))
    return row


def _csv_table(text: str) -> Table:
    lines = text.splitlines()
    rate = _comment_rate(lines)
    body = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not body:
        message = "The input has no rows. The first line names the channels, samples follow."
        raise EmptyInputError(message)
    delimiter = max(",;\t", key=body[0].count)
    try:
        header, *rows = csv.reader(body, delimiter=delimiter, skipinitialspace=True)
    except csv.Error:
        message = "The input is not CSV: a quote is open, or a field is too long."
        raise SyntaxInputError(message) from None
    channels = tuple(name.strip() for name in header)
    return Table(channels, rate, [_csv_row(n, row, channels) for n, row in enumerate(rows, 1)])


def _comment_rate(lines: list[str]) -> float | None:
    for line in lines[:1]:
        mark, colon, value = line.lstrip("# \t").partition(":")
        if line.startswith("#") and colon and mark.strip() == _RATE_MARK:
            try:
                return float(value)
            except ValueError:
                message = "Line 1: rate_hz is not a number. Write `# rate_hz: 100`."
                raise RateError(message) from None
    return None


def _csv_row(number: int, row: list[str], channels: tuple[str, ...]) -> list[float]:
    _check_width(number, len(row), channels)
    try:
        return [float(cell) for cell in row]
    except ValueError:
        place = next(n for n, cell in enumerate(row) if not _is_number(cell))
        raise SampleError(_no_number(number, channels, place)) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_width(number: int, width: int, channels: tuple[str, ...]) -> None:
    if width != len(channels):
        message = (
            f"Row {number} has {width} values for {len(channels)} channels. "
            "Give every row one value per channel."
        )
        raise ChannelsError(message)


def _no_number(number: int, channels: tuple[str, ...], place: int) -> str:
    name = shown(channels[place], f"number {place + 1}")
    return f"Row {number}, channel {name}: not a number. Write a decimal number such as 1.5."
