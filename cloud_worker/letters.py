"""What comes out of a worker for each question that goes in."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from broker.wire.envelope import ReplyKey
from broker.wire.messages import Question
from cloud_worker.models import Completer
from cloud_worker.store import Request


class Reason(StrEnum):
    """What became of a question. Also the names of the worker's counters."""

    ANSWERED = "answered"
    TOPIC = "topic"  # not ours
    ENVELOPE = "envelope"  # not an envelope, or too long
    DEVICE = "device"  # unknown or revoked, or not a key of it
    SIGNATURE = "signature"  # altered, moved, or forged
    KEY = "key"  # does not open, though we have the key that it names
    STALE = "stale"  # sealed to a key that is gone, or that never was ours
    WORKING = "working"  # a repeat; its reply will come
    REPEATED = "repeated"  # a repeat; it has its reply
    DATE = "date"  # the device's clock is off, or the question too old
    REFUSED = "refused"  # no model for it, or not a question
    UNUSABLE = "unusable"  # refused, since what the model server said is no answer
    BUSY = "busy"  # full, or about to stop
    RETURNED = "returned"  # busy, since the worker stops and was not done with it
    SATURATED = "saturated"  # busy, since the model server takes no more or is away
    LATE = "late"  # busy, since its time was over when an engine was free


@dataclass(frozen=True, slots=True)
class Dropped:
    """A question that gets no reply, or not now."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a reply goes, and what seals it."""

    topic: str
    request: Request
    key: ReplyKey


@dataclass(frozen=True, slots=True)
class Job:
    """An accepted question."""

    envelope: Envelope
    question: Question
    completer: Completer
    expires_s: float  # Unix time, seconds: after it the device does not wait


@dataclass(frozen=True, slots=True)
class Letter:
    """A sealed reply on its way to a device."""

    topic: str
    ticket: UUID
    expires_s: float  # Unix time, seconds
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that has its reply."""

    reason: Reason
    letter: Letter


Outcome = Job | Answered | Dropped
