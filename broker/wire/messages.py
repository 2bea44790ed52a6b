"""The plaintext inside envelopes, parsed at the door.

    kind (1 byte) | header length (2 bytes) | header (JSON) | content (raw bytes)

The content is the text, the record's JSON or the window's samples as they are, so a window
costs no base64. Who asks and which ticket are in the envelope; here is only what.

A published field is never changed or removed; a new meaning is a new kind.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Annotated

from msgspec import Meta

from broker.wire.document import Document
from broker.wire.errors import MessageError
from broker.wire.payload import Payload, PayloadKind, Shape, join, split

MAX_HEADER_BYTES = 16 * 1024  # names of a window's channels are the largest thing in it
_PREFIX = struct.Struct(">BH")


class Kind(IntEnum):
    """First byte of a message."""

    QUESTION = 1
    ANSWER = 2
    BUSY = 3
    DATE = 4
    REFUSED = 5


class Priority(StrEnum):
    """Which of a device's own questions comes first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """The lowest comes first."""
        return tuple(Priority).index(self)


@dataclass(frozen=True, slots=True)
class Question:
    """A masked question, device -> worker."""

    domain: str  # what kind of knowledge is asked for, such as "home"
    payload: Payload
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class Answer:
    """The larger model's answer, worker -> device."""

    text: str = field(repr=False)
    model: str
    confidence: float  # in [0, 1]
    truncated: bool = False  # it did not read the whole question, or was cut short itself


@dataclass(frozen=True, slots=True)
class Busy:
    """The worker is full; ask again later."""

    retry_after_s: float


@dataclass(frozen=True, slots=True)
class WrongDate:
    """The question's clock is off; this is the worker's (RFC 9458, section 6.5.2)."""

    now_s: int  # Unix time, seconds


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker will never answer this; the device falls back to its own draft."""

    reason: str


Reply = Answer | Busy | WrongDate | Refused


class _QuestionHeader(Document, frozen=True):
    domain: Annotated[str, Meta(max_length=128, pattern=r"^[a-z0-9][a-z0-9/_-]*\Z")]
    payload: PayloadKind
    channels: tuple[str, ...] = ()
    rate_hz: Annotated[float, Meta(ge=0)] | None = None  # of a window
    priority: Priority = Priority.NORMAL  # which is left out: an earlier worker knows no other


class _AnswerHeader(Document, frozen=True):
    model: Annotated[str, Meta(max_length=128)]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    truncated: bool = False


class _BusyHeader(Document, frozen=True):
    retry_after_s: Annotated[float, Meta(ge=0, le=3600)]


class _DateHeader(Document, frozen=True):
    now_s: Annotated[int, Meta(ge=0)]


class _RefusedHeader(Document, frozen=True):
    reason: Annotated[str, Meta(max_length=256)]


def dump_question(question: Question) -> bytes:
    """Encode a question."""
    shape, content = split(question.payload)
    header = _QuestionHeader(
        domain=question.domain,
        payload=shape.kind,
        channels=shape.channels,
        rate_hz=shape.rate_hz or None,
        priority=question.priority,
    )
    return _pack(Kind.QUESTION, header, content)


def load_question(data: bytes) -> Question:
    """Decode a question.

    Raises:
        MessageError: `data` is not a valid question.
    """
    kind, header_json, content = _unpack(data)
    if kind is not Kind.QUESTION:
        raise MessageError("not a question")
    try:
        header = _QuestionHeader.read(header_json)
        shape = Shape(header.payload, header.channels, header.rate_hz or 0.0)
        return Question(header.domain, join(shape, content), header.priority)
    except (ValueError, OverflowError, RecursionError):
        raise MessageError("a question does not match its schema") from None


def dump_reply(reply: Reply) -> bytes:
    """Encode a reply."""
    match reply:
        case Answer(text, model, confidence, truncated):
            header = _AnswerHeader(model=model, confidence=confidence, truncated=truncated)
            return _pack(Kind.ANSWER, header, text.encode())
        case Busy(retry_after_s):
            return _pack(Kind.BUSY, _BusyHeader(retry_after_s=retry_after_s))
        case WrongDate(now_s):
            return _pack(Kind.DATE, _DateHeader(now_s=now_s))
        case Refused(reason):
            return _pack(Kind.REFUSED, _RefusedHeader(reason=reason))


def load_reply(data: bytes) -> Reply:
    """Decode a reply.

    Raises:
        MessageError: `data` is not a valid reply.
    """
    kind, header, content = _unpack(data)
    try:
        return _reply(kind, header, content)
    except ValueError:
        raise MessageError("a reply does not match its schema") from None


def _reply(kind: Kind, header: bytes, content: bytes) -> Reply:
    if kind is Kind.ANSWER:
        answer = _AnswerHeader.read(header)
        return Answer(content.decode(), answer.model, answer.confidence, answer.truncated)
    if kind is Kind.BUSY and not content:
        return Busy(_BusyHeader.read(header).retry_after_s)
    if kind is Kind.DATE and not content:
        return WrongDate(_DateHeader.read(header).now_s)
    if kind is Kind.REFUSED and not content:
        return Refused(_RefusedHeader.read(header).reason)
    raise MessageError("not a reply")


def _pack(kind: Kind, header: Document, content: bytes = b"") -> bytes:
    text = header.write()
    if len(text) > MAX_HEADER_BYTES:
        raise MessageError("a message's header is too long")
    return _PREFIX.pack(kind, len(text)) + text + content


def _unpack(data: bytes) -> tuple[Kind, bytes, bytes]:
    try:
        number, length = _PREFIX.unpack_from(data)
        kind = Kind(number)
    except (struct.error, ValueError):
        raise MessageError("not a message") from None
    end = _PREFIX.size + length
    if length > MAX_HEADER_BYTES or end > len(data):
        raise MessageError("a message is cut short")
    return kind, data[_PREFIX.size : end], data[end:]
