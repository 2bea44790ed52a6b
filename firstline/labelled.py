"""A file of labelled data to cases, for the model that they are meant for.

    text    CSV         text,intent  (or text,label)        --.
            CSV         text,answer  of a model that writes   |
    record  CSV         the model's fields, and label         +--> Row(line, Case)
    window  JSON lines  {"channels", "rate_hz", "samples",  --'
                         "label"}

Columns that the model does not take are passed over. Every problem of a file is told at once,
each with its line; a value is never repeated, it may be personal.
"""

import csv
import json
import math
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.core.errors import InputError
from agent.core.tables import read_table
from broker.package.calibrate import OUT_OF_SCOPE, Case
from broker.package.errors import InputMismatchError
from broker.package.heads import Head, NumberHead
from broker.package.inputs import PromptInput, RecordInput, TextInput, WindowInput
from broker.package.manifest import Manifest
from broker.package.records import record_numbers
from broker.package.windows import window_numbers
from broker.wire.payload import Payload, Record, Text, Window
from firstline.exits import CommandError

_MOST_TOLD = 10  # problems; a file that is wrong throughout says so with fewer
_TEXT_LABELS = ("intent", "label")

Cells = dict[str, str]
_Source = TypeVar("_Source")


@dataclass(frozen=True, slots=True)
class Row:
    """One case and the line where it starts."""

    line: int
    case: Case


class RowError(Exception):
    """A row cannot be used."""


def read_labelled(path: Path, manifest: Manifest, head: Head) -> list[Row]:
    """Read every row of a file for one head of a model.

    Raises:
        CommandError: the file is empty, lacks a column, has a wrong or unlabelled row, or a
            label that the model does not have.
        OSError: it cannot be read.
    """
    rows: list[Row]
    if path.is_dir():
        raise CommandError(f"{path} is a folder; write its cases into one file, as --help says")
    match manifest.input:
        case PromptInput() if not head.labels:
            names = ("answer", *_TEXT_LABELS)
            rows = _table(path, ("text",), names, lambda cells: _text(cells["text"]), _written)
        case TextInput() | PromptInput():
            rows = _table(path, ("text",), _TEXT_LABELS, lambda cells: _text(cells["text"]))
        case RecordInput():
            rows = _records(path, manifest.input)
        case WindowInput():
            rows = _kept(path, _windows(path, manifest.input))
    if not rows:
        raise CommandError(f"{path} has no labelled row")
    check_labels(path, rows, manifest, head)
    return rows


def outside_label(head: Head) -> str:
    """What a row says that is out of a head's scope: its label for that, or the usual one."""
    return head.out_of_scope or OUT_OF_SCOPE


def check_labels(path: Path, rows: Sequence[Row], manifest: Manifest, head: Head) -> None:
    """Refuse rows whose label a head does not have; those out of scope may be there.

    Raises:
        CommandError: it names each such label, and the first line.
    """
    known = {*head.labels, outside_label(head)}
    lacking = [row for row in rows if row.case.label not in known and not _is_answer(head, row)]
    if not lacking:
        return
    counts = Counter(row.case.label for row in lacking).most_common()
    told = ", ".join(f"{label!r} ({count})" for label, count in counts[:_MOST_TOLD])
    more = f" and {len(counts) - _MOST_TOLD} more" if len(counts) > _MOST_TOLD else ""
    raise CommandError(
        f"{path}:{lacking[0].line}: {manifest.name} has no label {told}{more}: {len(lacking)} of "
        f"{len(rows)} rows. Domain {head.domain} has {len(head.labels)} labels; correct the rows, "
        f"leave them out, or call them {outside_label(head)!r} if they are out of scope"
    )


def _is_answer(head: Head, row: Row) -> bool:
    """Whether a head without labels could say this: a number, or any text."""
    match head:
        case NumberHead():
            try:
                return math.isfinite(float(row.case.label))
            except ValueError:
                return False
        case _:
            return not head.labels


def _records(path: Path, wanted: RecordInput) -> list[Row]:
    fields = (*wanted.numbers, *(name for name, _ in wanted.strings))
    return _table(path, fields, ("label",), lambda cells: _record(cells, wanted))


def _table(
    path: Path,
    fields: Sequence[str],
    label_names: Sequence[str],
    payload: Callable[[Cells], Payload],
    label: Callable[[str, str], str] = lambda _column, cell: cell,
) -> list[Row]:
    lines = _csv_rows(path)
    header = next(lines, (1, []))[1]
    lacking = [name for name in fields if name not in header]
    labels = [name for name in label_names if name in header]
    if not labels:
        lacking.append(" or ".join(label_names))
    if lacking:
        raise CommandError(
            f"{path}:1: there is no column {', '.join(lacking)}; the first line names the columns"
            + (f", and they are {', '.join(header)}" if header else "; the file is empty")
        )
    doubled = sorted(name for name, count in Counter(header).items() if count > 1)
    if doubled or len(labels) > 1 or labels[0] in fields:
        either = ", ".join(doubled or labels)
        raise CommandError(f"{path}:1: it is not clear which column to take for {either}; keep one")

    def made(cells: list[str]) -> Case:
        if len(cells) != len(header):
            raise RowError(f"{len(cells)} cells, but {len(header)} columns")
        named = dict(zip(header, cells, strict=True))
        return Case(payload(named), label(labels[0], _label(named[labels[0]])))

    return _kept(path, ((line, _attempt(made, cells)) for line, cells in lines))


def _written(column: str, cell: str) -> str:
    """What a model that writes JSON should say: an intent is one key of it."""
    return json.dumps({column: cell}) if column == "intent" and cell != OUT_OF_SCOPE else cell


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    line = 1
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for cells in reader:
                if cells:  # an empty line is none
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise CommandError(f"{path}:{line}: this is not valid CSV: {error}") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{path} is not UTF-8; save it as UTF-8") from error


def _windows(path: Path, wanted: WindowInput) -> Iterator[tuple[int, Case | RowError]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8; save it as UTF-8") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _attempt(lambda text: _window(text, wanted), line)


def _window(line: str, wanted: WindowInput) -> Case:
    table = read_table(line if line.lstrip().startswith("{") else "{}", wanted.channels)
    found = json.loads(line).get("label")
    rate_hz = wanted.rate_hz if table.rate_hz is None else table.rate_hz
    numbers = [number for row in table.rows for number in row]
    try:
        samples = struct.pack(f"<{len(numbers)}f", *numbers)
    except (OverflowError, struct.error):
        raise RowError("a sample is too large") from None
    window = Window(samples, table.channels, rate_hz)
    window_numbers(window, wanted)
    return Case(window, _label(found if isinstance(found, str) else ""))


def _text(text: str) -> Text:
    if not text.strip():
        raise RowError("the text is empty")
    return Text(text)


def _record(cells: Cells, wanted: RecordInput) -> Record:
    fields: dict[str, float | str] = {name: cells[name] for name, _ in wanted.strings}
    for name in wanted.numbers:
        try:
            fields[name] = float(cells[name])
        except ValueError:
            raise RowError(f"field {name} is not a number") from None
    record = Record(fields)
    record_numbers(record, wanted)
    return record


def _label(cell: str) -> str:
    if not cell.strip():
        raise RowError("the row has no label")
    return cell.strip()


def _attempt(make: Callable[[_Source], Case], source: _Source) -> Case | RowError:
    try:
        return make(source)
    except (RowError, InputMismatchError, InputError) as error:
        return RowError(str(error))


def _kept(path: Path, rows: Iterator[tuple[int, Case | RowError]]) -> list[Row]:
    kept: list[Row] = []
    wrong: list[str] = []
    for line, each in rows:
        if isinstance(each, RowError):
            wrong.append(f"{path}:{line}: {each}")
        else:
            kept.append(Row(line, each))
    if wrong:
        more = len(wrong) - _MOST_TOLD
        tail = [f"and {more} more rows like these"] if more > 0 else []
        raise CommandError("\n".join([*wrong[:_MOST_TOLD], *tail]))
    return kept
