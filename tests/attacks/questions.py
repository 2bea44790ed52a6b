"""Attacks on questions, on their way from the device to the worker."""

from dataclasses import replace
from functools import partial
from uuid import uuid4

from tests.attacks.actors import Asked
from tests.attacks.attack import Attack
from tests.attacks.mqtt5 import CORRELATION, EXPIRY, RESPONSE_TOPIC, Publish, string
from tests.attacks.stage import WORKER, Stage, until
from tests.attacks.tampering import (
    Change,
    flip,
    on_questions,
    on_replies,
    on_sent,
    payload,
    topic,
)

_HEADER_BYTES, _SIGNATURE_BYTES = 42, 64
_SEALED = _HEADER_BYTES + _SIGNATURE_BYTES
_TIMES = 50
_EVIL = "fl/v1/home/dev/evil/answer"

# Of each field of the envelope one bit. broker/README.md, "Envelope".
_FIELDS = {
    "version": (0, "envelope"),
    "suite (a downgrade)": (1, "envelope"),
    "pool key": (2, "signature"),
    "device key": (10, "device"),
    "ticket": (18, "signature"),
    "date": (34, "signature"),
    "end (lives longer)": (38, "signature"),
    "signature": (_HEADER_BYTES, "signature"),
    "encapsulated key": (_SEALED, "signature"),
    "ciphertext": (-40, "signature"),
    "tag": (-1, "signature"),
}


def _changed(change: Change, stage: Stage) -> list[Asked]:
    return stage.attacked(on_questions(change))


def _altered(name: str, tried: str, change: Change, counter: str) -> Attack:
    return Attack(name, tried, partial(_changed, change), (f"worker.{counter}", "agent.resends"))


def _downgrade(data: bytes) -> bytes:
    return data[:1] + b"\x01" + data[2:]


ALTERED = (
    *(
        _altered(f"bit flipped: {name}", "flips one bit of it", payload(flip(at)), counter)
        for name, (at, counter) in _FIELDS.items()
    ),
    _altered("suite downgrade", "names the weaker suite", payload(_downgrade), "signature"),
    _altered(
        "cut by a byte", "sends all but the last byte", payload(lambda data: data[:-1]), "signature"
    ),
    _altered(
        "cut to its header",
        "sends the header alone",
        payload(lambda data: data[:_HEADER_BYTES]),
        "envelope",
    ),
    _altered("emptied", "sends no byte at all", payload(lambda _: b""), "envelope"),
    _altered("extended", "adds a byte", payload(lambda data: data + b"\0"), "signature"),
    _altered(
        "oversized", "adds 150,000 bytes", payload(lambda data: data + bytes(150_000)), "envelope"
    ),
    _altered("glued", "sends it twice in one message", payload(lambda data: data * 2), "signature"),
    _altered("noise", "sends 500 bytes of its own", payload(lambda _: b"\xff" * 500), "envelope"),
)

MOVED = (
    _altered(
        "to another device's topic",
        "says that board-2 asks",
        topic("fl/v1/home/ask/main/board-2"),
        "device",
    ),
    _altered(
        "to another pool",
        "moves it to the pool other",
        topic("fl/v1/home/ask/other/board-1"),
        "topic",
    ),
    _altered(
        "to another fleet",
        "moves it to the fleet away",
        topic("fl/v1/away/ask/main/board-1"),
        "topic",
    ),
    _altered("to no topic of ours", "moves it to x/y", topic("x/y"), "topic"),
    _altered(
        "to a topic with control characters",
        "ends the topic with a line",
        topic("fl/v1/home/ask/main/board-1\n"),
        "topic",
    ),
)


def _kept(name: str, tried: str, change: Change) -> Attack:
    """A property that nobody trusts is changed: nothing happens."""
    return Attack(name, tried, lambda stage: stage.attacked(on_sent(change)), ("worker.answered",))


def _stripped(message: Publish) -> list[Publish]:
    return [message.without(RESPONSE_TOPIC, CORRELATION, EXPIRY)]


def _short_lived(message: Publish) -> list[Publish]:
    lives = (EXPIRY, (3600 * 24 * 365).to_bytes(4))
    return [replace(message, properties=(*message.without(EXPIRY).properties, lives))]


PROPERTIES = (
    _kept(
        "response topic rewritten",
        "has replies sent to itself",
        lambda m: [m.put(RESPONSE_TOPIC, _EVIL.encode())],
    ),
    _kept(
        "correlation rewritten",
        "names another ticket outside",
        lambda m: [m.put(CORRELATION, uuid4().bytes)],
    ),
    _kept("properties stripped", "takes response topic, ticket and expiry away", _stripped),
    _kept("expiry rewritten", "has the broker keep it for a year", _short_lived),
    _kept(
        "user property added",
        "adds what nobody asked for",
        lambda m: [replace(m, properties=(*m.properties, (0x26, string(b"a") + string(b"b"))))],
    ),
)


def _insert(message: Publish, stage: Stage) -> None:
    stage.proxy.link(WORKER).give(message)


def _replayed(stage: Stage) -> list[Asked]:
    tamper = on_questions(lambda message: [message])
    asked = stage.attacked(tamper)
    settled = stage.device.counters["replies_repeated"] + _TIMES
    for _ in range(_TIMES):
        _insert(tamper.seen[0], stage)
    until(lambda: stage.device.counters["replies_repeated"] >= settled)
    return asked


def _retained(stage: Stage) -> list[Asked]:
    tamper = on_questions(lambda message: [message])
    asked = stage.attacked(tamper)
    _insert(replace(tamper.seen[0], flags=0x0B), stage)  # DUP, QoS 1, RETAIN
    return asked


def _reordered(stage: Stage) -> list[Asked]:
    held: list[Publish] = []

    def swap(message: Publish) -> list[Publish]:
        held.append(message)
        return held[::-1] if len(held) == 2 else []

    stage.proxy.rule = on_questions(swap, times=2)
    asked = [stage.ask(), stage.ask()]
    stage.delivered(*asked)
    return asked


def _fed_back(stage: Stage) -> list[Asked]:
    tamper = on_questions(lambda message: [message])
    asked = stage.attacked(tamper)
    later = stage.attacked(on_replies(payload(lambda _: tamper.seen[0].payload)))
    return asked + later


def _copied_to_two(stage: Stage) -> list[Asked]:
    """Give each question to a second worker of the pool too, which knows nothing of the first."""
    tamper = on_questions(lambda message: [message])
    with stage.second_worker() as cloud:
        asked = stage.attacked(tamper)
        for reply in cloud.ask(stage.device.asker.route, tamper.seen[0].payload):
            stage.answer(asked[0], reply)
    return asked


REPEATED = (
    Attack(
        "replayed",
        "repeats a question fifty times",
        _replayed,
        ("worker.repeated", "agent.replies_repeated"),
    ),
    Attack(
        "retained poison: a question",
        "keeps it, and brings it later",
        _retained,
        ("worker.repeated",),
    ),
    Attack(
        "reordered", "brings the second of two questions first", _reordered, ("worker.answered",)
    ),
    Attack(
        "copied to two workers",
        "has two workers answer one question",
        _copied_to_two,
        ("agent.replies_repeated",),
    ),
    Attack(
        "fed back",
        "gives the question to its device as the reply",
        _fed_back,
        ("agent.replies_refused",),
    ),
)

QUESTIONS = (*ALTERED, *MOVED, *PROPERTIES, *REPEATED)
