"""Samples in CSV or JSON -> Table.

Only samples, names and the rate are taken. Everything else that came with them stays behind and
is told: comments, other keys, and columns of clock times that the task does not ask for. A
clock column that it does ask for begins at 0.
"""

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from agent.core.errors import (
    ChannelsError,
    EmptyInputError,
    RateError,
    SampleError,
    SyntaxInputError,
    shown,
)
from agent.core.parse import parsed

_RATE_MARK = "rate_hz"
_SHAPE_HINT = 'send {"channels": [...], "rate_hz": 1.0, "samples": [[...], ...]}'
_CLOCK = re.compile(
    r"(?:(?:unix|epoch|utc|local|start|end|sample|record|recorded|created|device)[ _-]?)?"
    r"(?:time[ _-]?stamp|date[ _-]?time|time|date|epoch|ts)"
    r"(?:[ _-]?(?:s|ms|us|ns|utc|iso|unix)|[ _-]?[(\[].{0,16}[)\]])?"
)
_TOLD_AT_MOST = 5
_Cell = TypeVar("_Cell")
_LONG_AGO_S = 1e8  # a clock that counts from a session's start says less; 1973 in Unix time


@dataclass(frozen=True, slots=True)
class Table:
    """Samples as they were written: T rows of C numbers, perhaps not finite."""

    channels: tuple[str, ...]  # C names
    rate_hz: float | None  # None: not said
    rows: list[list[float]] = field(repr=False)  # (T, C)
    changes: tuple[str, ...] = ()  # what was left out or altered, in words


def read_table(text: str, wanted: Collection[str] = ()) -> Table:
    """Read samples from JSON, or from CSV whose first line names the channels.

    A CSV may say its rate in a line of its own above the header: `# rate_hz: 100`.

    Raises:
        SyntaxInputError: Neither JSON of that shape nor CSV.
        WindowError: Ragged rows, a rate or a sample that is no number.
    """
    is_json = text.lstrip()[:1] in ("{", "[")
    return _relative(_json_table(text, wanted) if is_json else _csv_table(text, wanted))


def _json_table(text: str, wanted: Collection[str]) -> Table:
    match parsed(text):
        case {"channels": list(names), "samples": list(rows), **rest}:
            rate = rest.pop(_RATE_MARK, None)
        case _:
            message = f"A window in JSON lacks its channels or samples: {_SHAPE_HINT}."
            raise SyntaxInputError(message)
    written = tuple(name for name in names if isinstance(name, str))
    if len(written) < len(names):
        message = f"A channel's name is not a string: {_SHAPE_HINT}."
        raise SyntaxInputError(message)
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float)):
        message = "rate_hz is not a number. Give samples per second, such as 1.0."
        raise RateError(message)
    columns = _columns(written, wanted)
    left_out = [f"key {shown(str(key), 'of the window')}" for key in rest]
    return Table(
        columns.channels,
        None if rate is None else float(rate),
        [_json_row(number, row, columns) for number, row in enumerate(rows, 1)],
        _told([*left_out, *columns.left_out]),
    )


def _csv_table(text: str, wanted: Collection[str]) -> Table:
    lines = text.splitlines()
    rate = _comment_rate(lines)
    filled = [line for line in lines if line.strip()]
    body = [line for line in filled if not line.lstrip().startswith("#")]
    if not body:
        message = "The input has no rows. The first line names the channels, samples follow."
        raise EmptyInputError(message)
    delimiter = max(",;\t", key=body[0].count)
    try:
        header, *rows = csv.reader(body, delimiter=delimiter, skipinitialspace=True)
    except csv.Error:
        message = "The input is not CSV: a quote is open, or a field is too long."
        raise SyntaxInputError(message) from None
    columns = _columns(tuple(name.strip() for name in header), wanted)
    comments = len(filled) - len(body) - (rate is not None)
    left_out = [f"comments: {comments}"] if comments else []
    return Table(
        columns.channels,
        rate,
        [_csv_row(number, row, columns) for number, row in enumerate(rows, 1)],
        _told([*left_out, *columns.left_out]),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns are taken."""

    width: int  # as written
    places: tuple[int, ...]
    channels: tuple[str, ...]  # their names
    left_out: tuple[str, ...]  # the others, in words


def _columns(names: tuple[str, ...], wanted: Collection[str]) -> _Columns:
    places = tuple(n for n, name in enumerate(names) if name in wanted or not _is_clock(name))
    others = (n for n in range(len(names)) if n not in places)
    return _Columns(
        width=len(names),
        places=places,
        channels=tuple(names[n] for n in places),
        left_out=tuple(f"column {shown(names[n], str(n + 1))}" for n in others),
    )


def _is_clock(name: str) -> bool:
    return _CLOCK.fullmatch(name.strip().casefold()) is not None


def _told(left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    more = len(left_out) - _TOLD_AT_MOST
    listed = [*left_out[:_TOLD_AT_MOST], *([f"{more} more"] if more > 0 else [])]
    return (f"left out of the window: {', '.join(listed)}",)


def _relative(table: Table) -> Table:
    """Let wanted clocks begin at 0: when it was, the model need not know."""
    clocks = [n for n, name in enumerate(table.channels) if _is_clock(name)]
    clocks = [n for n in clocks if table.rows and abs(table.rows[0][n]) > _LONG_AGO_S]
    if not clocks:
        return table
    first = {n: table.rows[0][n] for n in clocks}
    rows = [[value - first.get(n, 0.0) for n, value in enumerate(row)] for row in table.rows]
    names = (shown(table.channels[n], f"column {n + 1}") for n in clocks)
    told = f"counted from the first sample: {', '.join(names)}"
    return replace(table, rows=rows, changes=(*table.changes, told))


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


def _json_row(number: int, row: object, columns: _Columns) -> list[float]:
    if not isinstance(row, list):
        message = f"Row {number} is not a list of numbers: {_SHAPE_HINT}."
        raise SyntaxInputError(message)
    cells = _taken(number, row, columns)
    for place, value in enumerate(cells):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SampleError(_no_number(number, columns, place))
    return cells


def _csv_row(number: int, row: list[str], columns: _Columns) -> list[float]:
    cells = _taken(number, row, columns)
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        place = next(n for n, cell in enumerate(cells) if not _is_number(cell))
        raise SampleError(_no_number(number, columns, place)) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _taken(number: int, row: list[_Cell], columns: _Columns) -> list[_Cell]:
    """Give a row's cells of the columns that are taken."""
    if len(row) != columns.width:
        message = (
            f"Row {number} has {len(row)} values for {columns.width} channels. "
            "Give every row one value per channel."
        )
        raise ChannelsError(message)
    return row if len(columns.places) == columns.width else [row[n] for n in columns.places]


def _no_number(number: int, columns: _Columns, place: int) -> str:
    name = shown(columns.channels[place], f"number {columns.places[place] + 1}")
    return f"Row {number}, channel {name}: not a number. Write a decimal number such as 1.5."
