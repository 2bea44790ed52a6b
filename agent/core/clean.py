"""Raw -> Clean.

    bytes -> size -> UTF-8 -> text    -> invisible characters out, NFC, spaces, cut
                           -> record  -> the same for names and strings; finite numbers
                           -> window  -> channels, rate, length as expected; float32

Cleaning text twice changes nothing. What a reader of the answer must know (a cut, a boolean
that became a number) is in `Clean.changes`. A boolean becomes 1.0 or 0.0.
"""

import math
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from agent.core.errors import (
    ChannelsError,
    EmptyInputError,
    FieldError,
    LengthError,
    RateError,
    SampleError,
    TooLargeError,
    shown,
)
from agent.core.escapes import INVISIBLE
from agent.core.find import find
from agent.core.parse import decode
from agent.core.records import Fields, Scalar, read_record
from agent.core.spans import found
from agent.core.tables import Table, read_table
from agent.stages import Clean, Raw
from broker.wire.payload import PayloadKind, Record, Text, Window

MAX_CHARS = 8192
MAX_BYTES = 1024 * 1024
RATE_TOLERANCE = 0.01  # share of the expected rate; a board's clock is off by less
_FLOAT32_MAX = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
_NEAR_CUT = 320  # characters; longer than any personal number or usual address


_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_TAGS = range(0xE0000, 0xE0080)  # of no width either
_TABLE: Mapping[int, str | None] = {
    **dict.fromkeys(_CONTROLS, " "),
    **dict.fromkeys((*map(ord, INVISIBLE), *_TAGS), None),  # they hide or reorder what is written
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a task takes."""

    kind: PayloadKind
    max_bytes: int = MAX_BYTES
    max_chars: int = MAX_CHARS  # of a text, or of each string of a record
    channels: tuple[str, ...] = ()  # expected names in order; empty: any
    rate_hz: float | None = None  # None: any
    min_length: int = 1  # samples of each channel
    max_length: int | None = None  # None: as many as fit in max_bytes


def clean(raw: Raw, expect: Expectation) -> Clean:
    """Turn bytes into a well-formed payload of the expected kind.

    Raises:
        InputError: The input cannot be used; the message says why, without its content.
        FinderError: It is too long, and what may not be cut could not be found.
    """
    if len(raw.data) > expect.max_bytes:
        message = (
            f"The input has {len(raw.data)} bytes; the task takes {expect.max_bytes}. "
            "Split it, or raise the task's limit."
        )
        raise TooLargeError(message)
    text = decode(raw.data)
    if not text.strip():
        message = "The input is empty. Send at least one character."
        raise EmptyInputError(message)
    match expect.kind:
        case PayloadKind.TEXT:
            return _clean_text(text, expect)
        case PayloadKind.RECORD:
            return _clean_record(read_record(text), expect)
        case PayloadKind.WINDOW:
            table = read_table(text, expect.channels)
            return Clean(_clean_window(table, expect), table.changes)


def normalise(text: str) -> str:
    """Drop invisible characters, make control characters spaces, NFC, collapse white space."""
    if not text.isascii():
        # Lone surrogates come from JSON escapes and fit no encoding.
        text = text.encode("utf-8", "replace").decode()
    visible = text.translate(_TABLE)  # before NFC: what they separated may compose
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _clean_text(text: str, expect: Expectation) -> Clean:
    tidy = normalise(text)
    if not tidy:
        message = "The input holds only invisible characters. Send at least one letter."
        raise EmptyInputError(message)
    short = _cut(tidy, expect.max_chars)
    return Clean(Text(short), _cut_note(short, tidy))


def _clean_record(written: Fields, expect: Expectation) -> Clean:
    if not written.values:
        message = "The record has no fields. Send at least one."
        raise EmptyInputError(message)
    fields: dict[str, float | str] = {}
    changes = [f"left out, for they are empty: {written.empty}"] if written.empty else []
    for place, (path, value) in enumerate(written.values.items(), 1):
        name = normalise(path)
        label = shown(name, f"number {place}")
        if not name or name in fields:
            message = f"Field {label} has an empty name, or one that is given twice."
            raise FieldError(message)
        fields[name], notes = _clean_value(label, value, expect)
        changes += [f"field {label}: {note}" for note in notes]
    return Clean(Record(fields), tuple(changes))


def _clean_value(
    label: str, value: Scalar, expect: Expectation
) -> tuple[float | str, tuple[str, ...]]:
    match value:
        case bool():
            return float(value), ("boolean became a number",)
        case str():
            tidy = normalise(value)
            short = _cut(tidy, expect.max_chars)
            return short, _cut_note(short, tidy)
        case float():
            return _finite(label, value), ()


def _finite(label: str, value: float) -> float:
    if not math.isfinite(value):
        message = f"Field {label} is not finite (NaN or infinity). Send a number or leave it out."
        raise FieldError(message)
    return value


def _cut(text: str, max_chars: int) -> str:
    """Cut at a space, and never inside personal data: half an address would not be found."""
    if len(text) <= max_chars:
        return text
    end = max_chars
    space = text.rfind(" ", max(0, end - _NEAR_CUT), end + 1)
    end = space if space >= 0 else end
    first = max(0, end - _NEAR_CUT)
    for span in found(find, text[first : end + _NEAR_CUT]):
        if first + span.start < end < first + span.end:
            end = first + span.start
    return text[:end].rstrip()


def _cut_note(short: str, tidy: str) -> tuple[str, ...]:
    if len(short) == len(tidy):
        return ()
    return (f"truncated to {len(short)} of {len(tidy)} characters",)


def _clean_window(table: Table, expect: Expectation) -> Window:
    channels = tuple(normalise(name) for name in table.channels)
    _check_channels(channels, expect.channels)
    rate_hz = _checked_rate(table.rate_hz, expect.rate_hz)
    _check_length(len(table.rows), expect)
    for number, row in enumerate(table.rows, 1):
        for place, value in enumerate(row):
            if not -_FLOAT32_MAX <= value <= _FLOAT32_MAX:
                raise SampleError(_bad_sample(number, channels, place))
    values = [value for row in table.rows for value in row]
    return Window(struct.pack(f"<{len(values)}f", *values), channels, rate_hz)


def _check_channels(got: tuple[str, ...], expected: tuple[str, ...]) -> None:
    if expected and got != expected:
        names = ", ".join(shown(name, f"(column {n})") for n, name in enumerate(got, 1))
        message = (
            f"The window has {len(got)} channels: {names}. "
            f"The task expects {len(expected)}: {', '.join(expected)}, in this order."
        )
        raise ChannelsError(message)
    if not all(got) or len(set(got)) < len(got) or not got:
        message = "Every channel needs a name of its own. Name them in the first line."
        raise ChannelsError(message)


def _checked_rate(got: float | None, expected: float | None) -> float:
    rate_hz = expected if got is None else got
    if rate_hz is None:
        message = "The window does not say its rate. Add rate_hz to it or to the task."
        raise RateError(message)
    if not math.isfinite(rate_hz) or rate_hz <= 0:
        message = "The window's rate_hz is not above zero. Give samples per second."
        raise RateError(message)
    if expected is not None and not math.isclose(rate_hz, expected, rel_tol=RATE_TOLERANCE):
        message = f"The window has {rate_hz:g} Hz; the task expects {expected:g} Hz. Resample it."
        raise RateError(message)
    return rate_hz


def _check_length(length: int, expect: Expectation) -> None:
    if length < expect.min_length:
        message = f"The window has {length} samples; the task needs {expect.min_length} or more."
        raise LengthError(message)
    if expect.max_length is not None and length > expect.max_length:
        message = f"The window has {length} samples; the task takes {expect.max_length} at most."
        raise LengthError(message)


def _bad_sample(number: int, channels: tuple[str, ...], place: int) -> str:
    name = shown(channels[place], f"number {place + 1}")
    return (
        f"Row {number}, channel {name}: NaN, infinity or beyond float32. "
        "Send finite numbers; drop or fill the gap before."
    )
