"""The three things that Firstline carries: a text, a record, a window of samples.

They are the same from the device's input to the worker's model, so they live here. Whether
one may still hold personal data is said by the type around it (`agent.stages`), not by these.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SAMPLE_BYTES = 4  # float32


class PayloadKind(StrEnum):
    """Names a payload type in settings, packages and messages."""

    TEXT = "text"
    RECORD = "record"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Text:
    """Words, one question."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """Named numbers and strings."""

    fields: Mapping[str, float | str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Window:
    """Sensor samples: (T, C) float32, little-endian, C order, as a plain buffer.

    A buffer and not an array, so that the resident process needs no numpy.
    """

    samples: bytes = field(repr=False)
    channels: tuple[str, ...]  # C names
    rate_hz: float

    @property
    def length(self) -> int:
        """T, the number of samples of each channel."""
        return len(self.samples) // (SAMPLE_BYTES * len(self.channels))


Payload = Text | Record | Window


def kind_of(payload: Payload) -> PayloadKind:
    """Name a payload's type."""
    match payload:
        case Text():
            return PayloadKind.TEXT
        case Record():
            return PayloadKind.RECORD
        case Window():
            return PayloadKind.WINDOW


@dataclass(frozen=True, slots=True)
class Shape:
    """What must be said beside a payload's bytes to read them again."""

    kind: PayloadKind
    channels: tuple[str, ...] = ()  # of a window
    rate_hz: float = 0.0  # of a window


def split(payload: Payload) -> tuple[Shape, bytes]:
    """Take a payload apart into its shape and its bytes."""
    match payload:
        case Text(text):
            return Shape(PayloadKind.TEXT), text.encode()
        case Record(fields):
            content = json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":"))
            return Shape(PayloadKind.RECORD), content.encode()
        case Window(samples, channels, rate_hz):
            return Shape(PayloadKind.WINDOW, channels, rate_hz), samples


def join(shape: Shape, content: bytes) -> Payload:
    """Put a payload together again; undoes `split`.

    Raises:
        ValueError: the bytes do not fit the shape.
    """
    match shape.kind:
        case PayloadKind.TEXT:
            return Text(content.decode())
        case PayloadKind.RECORD:
            return Record(_fields(json.loads(content)))
        case PayloadKind.WINDOW:
            row_bytes = SAMPLE_BYTES * len(shape.channels)
            if not row_bytes or not content or len(content) % row_bytes:
                raise ValueError("a window's bytes are not whole rows of its channels")
            return Window(content, shape.channels, shape.rate_hz)


def _fields(document: object) -> dict[str, float | str]:
    if not isinstance(document, dict):
        raise ValueError("a record is not a JSON object")  # noqa: TRY004 - as for all else here
    fields: dict[str, float | str] = {}
    for name, value in document.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("a record's value is of no kind we know")  # noqa: TRY004 - as above
        fields[name] = value if isinstance(value, str) else _finite(value)
    return fields


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("a record's number is too large") from None
    if not math.isfinite(number):
        raise ValueError("a record's number is not finite")
    return number
