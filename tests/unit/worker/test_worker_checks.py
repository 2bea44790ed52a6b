"""What the worker does with a question that an enrolled device sent."""

import os
import time
from pathlib import Path

import pytest

from broker.wire.errors import EnvelopeError
from broker.wire.keys import Suite, supported_suites
from broker.wire.messages import (
    Answer,
    Busy,
    Question,
    Refused,
    dump_question,
)
from broker.wire.payload import Text
from cloud_worker.letters import Reason
from cloud_worker.models import echo
from tests.asker import DOMAIN, HELLO, Asker, Fleet
from tests.simulator import CloudSimulator, corrupt, drop, duplicate, simulated_cloud

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)
NOW_S = float(int(time.time()))  # envelopes carry whole seconds


def test_a_question_is_answered(cloud: CloudSimulator, asker: Asker) -> None:
    asked = asker.ask()

    (reply,) = cloud.ask(asked.route, asked.wire)

    assert asked.read(reply) == ECHOED


def test_a_question_in_the_classic_suite_is_answered(cloud: CloudSimulator, asker: Asker) -> None:
    header = asker.header(now_s=time.time(), suites=(Suite.X25519,))
    asked = asker.seal(dump_question(HELLO), header)

    (reply,) = cloud.ask(asked.route, asked.wire)

    assert asked.read(reply) == ECHOED


def test_a_repeat_gets_the_same_bytes(cloud: CloudSimulator, asker: Asker) -> None:
    asked = asker.ask()

    replies = [cloud.ask(asked.route, asked.wire) for _ in range(3)]

    assert replies[0] == replies[1] == replies[2]
    assert cloud.reasons == [Reason.ANSWERED, Reason.REPEATED, Reason.REPEATED]


def test_a_ticket_used_for_two_questions_gets_the_reply_to_the_first(
    cloud: CloudSimulator, asker: Asker
) -> None:
    first = asker.ask()
    second = asker.ask(Question(DOMAIN, Text("another")), ticket=first.ticket)
    replies = cloud.ask(first.route, first.wire)

    again = cloud.ask(second.route, second.wire)

    assert (again, cloud.reasons[-1]) == (replies, Reason.REPEATED)
    with pytest.raises(EnvelopeError):  # to a device that has only the second question's key
        second.read(replies[0])


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
