"""Attacks on a worker. A new bug adds a row first."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from broker.wire.keys import supported_suites
from broker.wire.messages import (
    Answer,
    dump_question,
)
from broker.wire.topics import DeviceId, FleetId, PoolId, Route
from cloud_worker.letters import Reason
from cloud_worker.models import echo
from tests.asker import DOMAIN, HELLO, Asked, Asker, Fleet
from tests.simulator import CloudSimulator, simulated_cloud

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)
NOW_S = float(int(time.time()))  # envelopes carry whole seconds


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


def under_tomorrows_name(victim: Asker, _thief: Asker, _asked: Asked) -> tuple[Route, bytes]:
    header = victim.header(now_s=NOW_S, suites=supported_suites())
    tomorrow = victim.header(now_s=NOW_S + 86_400, suites=supported_suites())
    asked = victim.seal(dump_question(HELLO), replace(header, pool_key=tomorrow.pool_key))
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
    "sealed to another key than it names": Bad(under_tomorrows_name, Reason.KEY),
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
