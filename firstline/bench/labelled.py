"""Labelled sentences: a CSV file with the columns `text` and `intent`; others are ignored."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_COLUMNS = ("text", "intent")
_MOST_TOLD = 5  # labels in one message


class DataError(Exception):
    """A data file is not what a benchmark can use; the message names the line."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One sentence and its right answer."""

    line: int  # where it begins in its file, counted from 1
    text: str = field(repr=False)
    intent: str


def read_labelled(path: Path) -> list[Labelled]:
    """Read a file whole.

    Raises:
        OSError: it is not there, or not ours to read.
        DataError: it is not such a file, or has no rows.
    """
    try:
        rows = list(_rows(path))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV file: {error}") from error
    if not rows:
        raise DataError(f"{path}: there are no rows below line 1")
    return rows


def check_labels(path: Path, rows: Sequence[Labelled], known: Sequence[str], package: str) -> None:
    """Refuse a file with labels that a model does not have.

    Raises:
        DataError: each such label, with its first line and how many rows have it.
    """
    first: dict[str, int] = {}
    count: dict[str, int] = {}
    for row in rows:
        if row.intent not in known:
            first.setdefault(row.intent, row.line)
            count[row.intent] = count.get(row.intent, 0) + 1
    if first:
        told = [
            f"{path}:{line}: {package} has no label {label!r} (rows with it: {count[label]})"
            for label, line in list(first.items())[:_MOST_TOLD]
        ]
        more = len(first) - len(told)
        raise DataError("; ".join([*told, f"and {more} more labels"] if more else told))


def _rows(path: Path) -> Iterator[Labelled]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        names = next(reader, None)
        if names is None:
            raise DataError(f"{path}: the file is empty; it needs the columns text,intent")
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise DataError(
                f"{path}:1: no column {' and no column '.join(missing)}; "
                f"line 1 names the columns, and text and intent must be among them"
            )
        line = reader.line_num + 1
        for cells in reader:
            if cells:  # not an empty line
                yield _labelled(path, line, dict(zip(names, cells, strict=False)))
            line = reader.line_num + 1


def _labelled(path: Path, line: int, cells: Mapping[str, str]) -> Labelled:
    text, intent = (cells.get(name, "").strip() for name in _COLUMNS)
    if not text or not intent:
        raise DataError(f"{path}:{line}: no {'intent' if text else 'text'} in this row")
    return Labelled(line, text, intent)
