"""What the loop's queue holds besides the events of the MQTT session."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from agent.stages import Delivery
from agent.task import Task

_UUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Arrived:
    """An input. Its bytes are read when its turn comes, so a full folder costs no memory."""

    task: str
    source: str
    identity: str  # the same after a restart, so that a repeat gets the same ticket
    read: Callable[[int], bytes | None] = field(repr=False)  # at most n bytes; None: it has gone
    taken: Callable[[], None] = field(repr=False)  # it is answered, or safe in the outbox
    refused: Callable[[Exception], None] = field(repr=False)
    conversation: str = ""  # see Raw


@dataclass(frozen=True, slots=True)
class Exhausted:
    """An input that has an end has ended."""

    source: str


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The settings file was edited."""


@dataclass(frozen=True, slots=True)
class TasksChanged:
    """The tasks are to be done in another way, since the board fares otherwise."""

    build: Callable[[], Mapping[str, Task]]  # of what they are by then: a model may have changed


@dataclass(frozen=True, slots=True)
class Stop:
    """End the loop."""


def ticket_of(arrived: Arrived, data: bytes) -> UUID:
    """Name a question for life: the same input has the same ticket (RFC 9562, version 8)."""
    named = f"{arrived.task}\0{arrived.source}\0{arrived.identity}\0".encode()
    digest = hashlib.sha256(named + data).digest()[:_UUID_BYTES]
    return _version_8(digest) if arrived.identity else _random_ticket()


def _version_8(digest: bytes) -> UUID:
    number = int.from_bytes(digest, "big")  # the uuid module of Python 3.11 knows versions 1 to 5
    number = number & ~(0xF << 76) | (8 << 76)
    return UUID(int=number & ~(0x3 << 62) | (0x2 << 62))


def _random_ticket() -> UUID:
    return UUID(bytes=os.urandom(_UUID_BYTES), version=4)


def delivery_json(delivery: Delivery) -> str:
    """What every output writes: one JSON object on one line."""
    fields = {
        "ticket": str(delivery.ticket),
        "task": delivery.task,
        "source": delivery.source,
        "answer": delivery.answer,
        "origin": delivery.origin,
        "confidence": round(delivery.confidence, 4),
        "model": delivery.model,
        "elapsed_ms": round(delivery.elapsed_ms, 2),
        "final": delivery.final,
        "flags": delivery.flags,
    }
    return json.dumps(fields, ensure_ascii=False)
