"""Which dates a worker accepts, and until when it remembers."""

import time

import pytest

from broker.wire.messages import (
    Answer,
    WrongDate,
)
from cloud_worker.letters import Reason
from tests.asker import Asker
from tests.simulator import CloudSimulator

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)
NOW_S = float(int(time.time()))  # envelopes carry whole seconds


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


def test_a_repeat_in_the_last_second_still_gets_the_same_bytes(
    cloud: CloudSimulator, asker: Asker
) -> None:
    asked = asker.ask(now_s=NOW_S)
    cloud.now_s = lambda: NOW_S
    first = cloud.ask(asked.route, asked.wire)
    cloud.now_s = lambda: NOW_S + 60

    cloud.worker.keep_house(now_s=NOW_S + 60)
    second = cloud.ask(asked.route, asked.wire)

    assert second == first
