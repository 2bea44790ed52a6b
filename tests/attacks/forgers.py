"""Attacks by those who are connected to the broker: strangers, and devices that were enrolled."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import uuid4

from broker.wire import envelope
from broker.wire.envelope import Header, seal_question
from broker.wire.keys import PoolPublicKey, signing_key_name, supported_suites
from broker.wire.messages import dump_question
from broker.wire.session import Address, Session
from broker.wire.topics import Route, shared_questions
from tests.asker import HELLO, Asker, make_fleet
from tests.attacks.actors import Asked
from tests.attacks.attack import Attack
from tests.attacks.stage import BOARD, WORKER, Stage, until
from tests.attacks.tampering import on_questions
from tests.unit.wire.scene import HEADER_BYTES, SIGNATURE_BYTES, pool_pair

Forge = Callable[[Stage, Asker], tuple[Route, bytes]]  # where to, and what


def _sent(forge: Forge, stage: Stage) -> list[Asked]:
    """Publish a forged question; then the service goes on."""
    route, wire = forge(stage, stage.neighbour)
    stage.publish(route.ask, wire)
    return _next(stage)


def _next(stage: Stage) -> list[Asked]:
    asked = stage.ask()
    stage.delivered(asked)
    return [asked]


def _forged(name: str, tried: str, forge: Forge, counter: str) -> Attack:
    return Attack(name, tried, partial(_sent, forge), (f"worker.{counter}", "worker.answered"))


def _another_fleets(stage: Stage, _: Asker) -> tuple[Route, bytes]:
    stranger = make_fleet(stage.folder / "strangers").enroll(BOARD)
    return stranger.route, stranger.ask().wire


def _in_anothers_name(stage: Stage, evil: Asker) -> tuple[Route, bytes]:
    victim = stage.device.asker.route
    header = evil.header(now_s=time.time(), suites=supported_suites())
    return victim, evil.seal(dump_question(HELLO), header, route=victim).wire


def _resigned(stage: Stage, evil: Asker) -> tuple[Route, bytes]:
    """Strip a signature off, and sign the same ciphertext as another enrolled device."""
    tamper = on_questions(lambda message: [message])
    stage.attacked(tamper)
    stolen, key = tamper.seen[0].payload, evil.credentials.signing_key
    header = stolen[:10] + signing_key_name(key.public_key()) + stolen[18:HEADER_BYTES]
    ciphertext = stolen[HEADER_BYTES + SIGNATURE_BYTES :]
    bound = envelope._bound(envelope._info(evil.route, header), ciphertext)
    return evil.route, header + key.sign(envelope._REQUEST_SIGNATURE + bound) + ciphertext


def _wrong_key(_: Stage, evil: Asker) -> tuple[Route, bytes]:
    header = evil.header(now_s=time.time(), suites=supported_suites())
    return evil.route, _sealed(evil, header, pool_pair(header.suite)[1])


def _gone_key(_: Stage, evil: Asker) -> tuple[Route, bytes]:
    return sealed_to_a_gone_key(evil)


def sealed_to_a_gone_key(evil: Asker) -> tuple[Route, bytes]:
    """Seal to a key that the pool does not have, and say so: an old epoch's, or another pool's."""
    header = evil.header(now_s=time.time(), suites=supported_suites())
    _, public = pool_pair(header.suite)
    return evil.route, _sealed(evil, replace(header, pool_key=public.name), public)


def _sealed(evil: Asker, header: Header, public: PoolPublicKey) -> bytes:
    wire, _ = seal_question(
        dump_question(HELLO),
        route=evil.route,
        pool_key=public,
        device_key=evil.credentials.signing_key,
        header=header,
    )
    return wire


def _conflicting(stage: Stage, evil: Asker) -> tuple[Route, bytes]:
    ticket = uuid4()
    stage.publish(evil.route.ask, evil.ask(ticket=ticket).wire)
    return evil.route, evil.ask(ticket=ticket).wire


def _stale(_: Stage, evil: Asker) -> tuple[Route, bytes]:
    return evil.route, evil.ask(created_s=time.time() - 7200.0).wire


def _immortal(_: Stage, evil: Asker) -> tuple[Route, bytes]:
    return evil.route, evil.ask(life_s=3600.0 * 24 * 30).wire


def _senseless(_: Stage, evil: Asker) -> tuple[Route, bytes]:
    header = evil.header(now_s=time.time(), suites=supported_suites())
    return evil.route, evil.seal(b"\x01\xff\xff{", header).wire


def _taken_over(part: str, stage: Stage) -> list[Asked]:
    """Connect under the client id of somebody else: mosquitto ends the other's connection."""
    link = stage.proxy.link(part)
    address = Address(host="127.0.0.1", port=stage.broker_port, client_id=link.name)
    with Session(address, subscriptions=(), sink=lambda _: None):
        until(lambda: stage.proxy.link(part) is not link)
    return _next(stage)


def _black_hole(stage: Stage) -> list[Asked]:
    """Join the workers' group, and answer nothing."""
    route = stage.device.asker.route
    group = shared_questions(route.fleet, route.pool)
    address = Address(host="127.0.0.1", port=stage.broker_port, client_id="black-hole")
    seen: list[object] = []
    with Session(address, subscriptions=[group], sink=seen.append):
        until(lambda: seen)
        asked = [stage.ask() for _ in range(6)]
        stage.delivered(*asked)
    return asked


FORGERS = (
    _forged("another fleet's question", "asks with a fleet of its own", _another_fleets, "device"),
    _forged("in another's name", "signs as board-2 that board-1 asks", _in_anothers_name, "device"),
    _forged("stripped and signed anew", "passes another's off as its own", _resigned, "key"),
    _forged("epoch confusion", "names the pool's key, seals to another", _wrong_key, "key"),
    _forged("a key that is gone", "seals to a key that the pool has not", _gone_key, "stale"),
    _forged(
        "one ticket, two questions", "repeats a ticket, alters the rest", _conflicting, "repeated"
    ),
    _forged("an old question", "asks with a date two hours ago", _stale, "date"),
    _forged("a question for a month", "has its claim kept for a month", _immortal, "date"),
    _forged("sealed nonsense", "seals what is no question", _senseless, "refused"),
    Attack(
        "stolen client id",
        "connects as the device, which loses its connection",
        partial(_taken_over, BOARD),
        ("agent.broker_losses",),
    ),
    Attack(
        "stolen worker's id",
        "connects as the worker, which loses its connection",
        partial(_taken_over, WORKER),
        ("worker.broker_losses",),
    ),
    Attack(
        "black hole in the group",
        "joins the workers' group, and takes questions for nothing",
        _black_hole,
        ("agent.resends",),
    ),
)
