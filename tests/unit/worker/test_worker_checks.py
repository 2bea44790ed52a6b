"""What the worker does with a question: each check, in its order."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from broker.wire.errors import EnvelopeError
from broker.wire.keys import Suite, supported_suites
from broker.wire.messages import (
    Answer,
    Busy,
    Question,
    Refused,
    WrongDate,
    dump_question,
)
from broker.wire.payload import Text
from broker.wire.topics import DeviceId, FleetId, PoolId, Route
from cloud_worker.letters import Reason
from cloud_worker.models import echo
from tests.asker import DOMAIN, HELLO, Asked, Asker, Fleet
from tests.simulator import CloudSimulator, corrupt, drop, duplicate, simulated_cloud

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)
NOW_S = float(int(time.time()))  # envelopes carry whole seconds


def test_a_question_is_answered(cloud: CloudSimulator, asker: Asker) -> None:
    asked = asker.ask()

    (reply,) = cloud.ask(asked.route, asked.wire)

    assert asked.read(reply) == ECHOED


def test_a_question_in_the_classic_suite_is_answered(cloud: CloudSimulator, asker: Asker) -> None:
    header = asker.header(now_s=NOW_S, suites=(Suite.X25519,))
    asked = asker.seal(dump_question(HELLO), header)

    (reply,) = cloud.ask(asked.route, asked.wire)

    assert asked.read(reply) == ECHOED


def test_a_repeat_gets_the_same_bytes(cloud: CloudSimulator, asker: Asker) -> None:
    asked = asker.ask()

    replies = [cloud.ask(asked.route, asked.wire) for _ in range(3)]

    assert replies[0] == replies[1] == replies[2]
    assert cloud.reasons == [Reason.ANSWERED, Reason.REPEATED, Reason.REPEATED]


def test_a_ticket_used_for_two_questions_is_dropped(cloud: CloudSimulator, asker: Asker) -> None:
    first = asker.ask()
    second = asker.ask(Question(DOMAIN, Text("another")), ticket=first.ticket)
    cloud.ask(first.route, first.wire)

    replies = cloud.ask(second.route, second.wire)

    assert (replies, cloud.reasons[-1]) == ([], Reason.CONFLICT)


@dataclass(frozen=True)
class Bad:
    """An attack: what arrives where."""

    tamper: Callable[[Asker, Asker, Asked], tuple[Route, bytes]]
    reason: Reason


def moved(**where: str) -> Callable[[Asker, Asker, Asked], tuple[Route, bytes]]:
    places = {
        "fleet": lambda route, name: replace(route, fleet=FleetId(name)),
        "pool": lambda route, name: replace(route, pool=PoolId(name)),
        "device": lambda route, name: replace(route, device=DeviceId(name)),
    }
    ((part, name),) = where.items()
    return lambda _victim, _thief, asked: (places[part](asked.route, name), asked.wire)


def flip(at: int) -> Callable[[Asker, Asker, Asked], tuple[Route, bytes]]:
    def tamper(_victim: Asker, _thief: Asker, asked: Asked) -> tuple[Route, bytes]:
        altered = bytearray(asked.wire)
        altered[at] ^= 1
        return asked.route, bytes(altered)

    return tamper


def under_the_victims_name(victim: Asker, thief: Asker, _asked: Asked) -> tuple[Route, bytes]:
    header = thief.header(now_s=NOW_S, suites=supported_suites())
    return victim.route, thief.seal(dump_question(HELLO), header, route=victim.route).wire


def with_the_victims_key_name(victim: Asker, thief: Asker, asked: Asked) -> tuple[Route, bytes]:
    name = asked.wire[10:18]
    header = thief.header(now_s=NOW_S, suites=supported_suites())
    forged = thief.seal(dump_question(HELLO), replace(header, device_key=name), route=victim.route)
    return victim.route, forged.wire


def to_an_unknown_key(victim: Asker, _thief: Asker, _asked: Asked) -> tuple[Route, bytes]:
    header = victim.header(now_s=NOW_S, suites=supported_suites())
    asked = victim.seal(dump_question(HELLO), replace(header, pool_key=os.urandom(8)))
    return asked.route, asked.wire


ATTACKS = {
    "another fleet": Bad(moved(fleet="away"), Reason.TOPIC),
    "another pool": Bad(moved(pool="other"), Reason.TOPIC),
    "no name of a device": Bad(moved(device="+"), Reason.TOPIC),
    "no such device": Bad(moved(device="ghost"), Reason.DEVICE),
    "another device": Bad(moved(device="board-2"), Reason.DEVICE),
    "another device's question under the victim's name": Bad(under_the_victims_name, Reason.DEVICE),
    "and with the victim's key name": Bad(with_the_victims_key_name, Reason.SIGNATURE),
    "noise": Bad(lambda victim, *_: (victim.route, os.urandom(2_000)), Reason.ENVELOPE),
    "empty": Bad(lambda victim, *_: (victim.route, b""), Reason.ENVELOPE),
    "too long": Bad(lambda _v, _t, a: (a.route, a.wire.ljust(200_000, b"\0")), Reason.ENVELOPE),
    "cut": Bad(lambda _v, _t, asked: (asked.route, asked.wire[:-1]), Reason.SIGNATURE),
    "longer": Bad(lambda _v, _t, asked: (asked.route, asked.wire + b"\0"), Reason.SIGNATURE),
    "version": Bad(flip(0), Reason.ENVELOPE),
    "suite unknown": Bad(flip(1), Reason.ENVELOPE),
    "pool key": Bad(flip(2), Reason.SIGNATURE),
    "device key": Bad(flip(10), Reason.DEVICE),
    "ticket": Bad(flip(18), Reason.SIGNATURE),
    "created": Bad(flip(34), Reason.SIGNATURE),
    "expires": Bad(flip(38), Reason.SIGNATURE),
    "signature": Bad(flip(42), Reason.SIGNATURE),
    "text": Bad(flip(-1), Reason.SIGNATURE),
    "sealed to a key that is not ours": Bad(to_an_unknown_key, Reason.KEY),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_dropped_and_claims_nothing(
    cloud: CloudSimulator, asker: Asker, fleet: Fleet, attack: Bad
) -> None:
    thief = fleet.enroll("board-2")
    asked = asker.ask()
    route, wire = attack.tamper(asker, thief, asked)

    replies = cloud.ask(route, wire)

    assert (replies, cloud.reasons) == ([], [attack.reason])
    assert len(cloud.ask(asked.route, asked.wire)) == 1  # the victim's own question still is new
    assert cloud.reasons[-1] is Reason.ANSWERED


DATES = {
    "made after now and the allowed skew": (121.0, 60.0),
    "over before now": (-61.0, 60.0),
    "over before now, and made after it": (200.0, -300.0),
    "alive for longer than allowed": (0.0, 86_400.0 + 121.0),
    "over before it was made": (100.0, -50.0),
}


@pytest.mark.parametrize(("offset_s", "life_s"), DATES.values(), ids=DATES)
def test_a_wrong_date_is_told_sealed_and_claims_nothing(
    cloud: CloudSimulator, asker: Asker, offset_s: float, life_s: float
) -> None:
    cloud.now_s = lambda: NOW_S
    asked = asker.ask(now_s=NOW_S, created_s=NOW_S + offset_s, life_s=life_s)

    replies = [cloud.ask(asked.route, asked.wire) for _ in range(2)]

    assert [asked.read(reply) for (reply,) in replies] == [WrongDate(int(NOW_S))] * 2
    assert cloud.reasons == [Reason.DATE, Reason.DATE]


GOOD_DATES = {
    "made by a clock that is ahead": (120.0, 60.0),
    "in its last second": (-60.0, 60.0),
    "alive for as long as allowed": (0.0, 86_400.0),
}


@pytest.mark.parametrize(("offset_s", "life_s"), GOOD_DATES.values(), ids=GOOD_DATES)
def test_a_date_within_the_window_is_answered(
    cloud: CloudSimulator, asker: Asker, offset_s: float, life_s: float
) -> None:
    cloud.now_s = lambda: NOW_S
    asked = asker.ask(now_s=NOW_S, created_s=NOW_S + offset_s, life_s=life_s)

    (reply,) = cloud.ask(asked.route, asked.wire)

    assert asked.read(reply) == ECHOED


def test_a_question_is_never_worked_on_after_its_claim_is_forgotten(
    cloud: CloudSimulator, asker: Asker
) -> None:
    asked = asker.ask(now_s=NOW_S)
    cloud.now_s = lambda: NOW_S
    cloud.ask(asked.route, asked.wire)
    later_s = NOW_S + 60 + 120 + 1
    cloud.now_s = lambda: later_s

    cloud.worker.keep_house(now_s=later_s)
    cloud.ask(asked.route, asked.wire)

    assert cloud.reasons == [Reason.ANSWERED, Reason.DATE]


def test_an_unknown_domain_is_refused_sealed(cloud: CloudSimulator, asker: Asker) -> None:
    asked = asker.ask(Question("chemistry", Text("?")))

    (reply,) = cloud.ask(asked.route, asked.wire)

    assert asked.read(reply) == Refused("no model for the domain chemistry")
    assert cloud.reasons == [Reason.REFUSED]


BAD_BODIES = {"nothing": b"", "noise": os.urandom(30), "a reply": b"\x03\x00\x02{}"}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_what_is_no_question_is_refused_sealed(
    cloud: CloudSimulator, asker: Asker, body: bytes
) -> None:
    header = asker.header(now_s=time.time(), suites=supported_suites())
    asked = asker.seal(body, header)

    (reply,) = cloud.ask(asked.route, asked.wire)

    assert isinstance(asked.read(reply), Refused)
    assert cloud.reasons == [Reason.REFUSED]


def test_a_question_that_another_worker_works_on_is_left_to_it(
    cloud: CloudSimulator, asker: Asker, fleet: Fleet, tmp_path: Path
) -> None:
    asked = asker.ask(now_s=NOW_S)
    job = cloud.worker.receive(asked.route.ask, asked.wire, now_s=NOW_S)
    same_file = simulated_cloud(
        fleet.worker_folder, {DOMAIN: echo()}, store=tmp_path / "claims.db", now_s=lambda: NOW_S
    )

    with same_file as other:
        cloud.worker.claim(job, now_s=NOW_S)  # type: ignore[arg-type] # it is a Job: asserted here
        replies = other.ask(asked.route, asked.wire)

    assert (replies, other.reasons) == ([], [Reason.WORKING])


def test_busy_is_sealed_and_keeps_no_claim(cloud: CloudSimulator, asker: Asker) -> None:
    asked = asker.ask()
    cloud.full = True
    (busy,) = cloud.ask(asked.route, asked.wire)

    cloud.full = False
    (reply,) = cloud.ask(asked.route, asked.wire)

    assert (asked.read(busy), asked.read(reply)) == (Busy(1.0), ECHOED)


def test_a_reply_is_for_its_own_question_only(cloud: CloudSimulator, asker: Asker) -> None:
    first, second = asker.ask(), asker.ask()
    (reply,) = cloud.ask(first.route, first.wire)

    with pytest.raises(EnvelopeError):
        second.read(reply)


def test_the_simulated_way_back_loses_doubles_damages_and_reorders(
    cloud: CloudSimulator, asker: Asker
) -> None:
    asked, later = asker.ask(), asker.ask()
    (good,) = cloud.ask(asked.route, asked.wire)
    (last,) = cloud.ask(later.route, later.wire)
    arrived = []
    for way_back in (drop, duplicate, corrupt, cloud.hold):
        cloud.way_back = way_back
        arrived.append(cloud.ask(asked.route, asked.wire))
    cloud.ask(later.route, later.wire)

    assert arrived[:2] == [[], [good, good]]
    assert arrived[2] != [good]
    assert cloud.release() == [last, good]


def test_a_second_pool_of_the_fleet_cannot_open_the_firsts_questions(
    asker: Asker, fleet: Fleet, tmp_path: Path
) -> None:
    fleet.enroll("board-9", PoolId("other"))
    asked = asker.ask()
    stolen = replace(asked.route, pool=PoolId("other"))
    folder = fleet.folder / "workers" / "other"

    with simulated_cloud(folder, {DOMAIN: echo()}, store=tmp_path / f"{uuid4()}.db") as cloud:
        replies = cloud.ask(stolen, asked.wire)

    assert (replies, cloud.reasons) == ([], [Reason.SIGNATURE])
