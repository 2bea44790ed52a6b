"""The worker's service on a real mosquitto, asked by a real session."""

import json
from threading import Event as Flag

import pytest

from broker.wire import topics
from broker.wire.messages import Answer, Busy
from broker.wire.session import Message
from broker.wire.topics import DeviceId
from cloud_worker.limits import Limits
from cloud_worker.models import Completer, Engine, echo
from tests.asker import DOMAIN, FLEET, POOL
from tests.site import Setup, Site, gated, line_of

pytestmark = pytest.mark.broker

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)


ENGINES = {"instant": echo(), "engine": Engine("echo 1", echo().complete)}


@pytest.mark.parametrize("completer", ENGINES.values(), ids=ENGINES)
def test_a_question_is_answered_and_its_repeat_gets_the_same_bytes(
    site: Site, completer: Completer
) -> None:
    asked = site.asker.ask()

    with site.worker(Setup(completer)) as service:
        first, second = site.line.answered(asked), site.line.answered(asked)

    assert (first, second) == (ECHOED, ECHOED)
    assert site.line.replies[0].payload == site.line.replies[1].payload
    assert site.line.replies[0].correlation == asked.ticket.bytes
    assert service.counters == {"answered": 1, "repeated": 1}


def test_many_questions_in_a_burst_are_each_answered_once(site: Site) -> None:
    burst = {asked.ticket.bytes: asked for asked in (site.asker.ask() for _ in range(200))}

    with site.worker():
        for asked in burst.values():
            site.line.ask(asked)
        site.line.wait(lambda: len(site.line.replies) >= len(burst))

    assert {reply.correlation for reply in site.line.replies} == set(burst)
    assert {burst[r.correlation].read(r.payload) for r in site.line.replies} == {ECHOED}


def test_a_full_worker_says_busy_at_once_and_answers_when_asked_again(site: Site) -> None:
    gate = Flag()
    limits = Limits(queue=1, retry_after_s=1.0)
    running, waiting, third = site.asker.ask(), site.asker.ask(), site.asker.ask()

    with site.worker(Setup(gated(gate), limits)) as service:
        site.line.ask(running)
        site.line.ask(waiting)
        busy = site.line.answered(third)
        gate.set()
        site.line.wait(lambda: len(site.line.replies) == 3)
        answer = site.line.answered(third)

    assert isinstance(busy, Busy)
    assert 0.5 <= busy.retry_after_s <= 1.5
    assert answer == ECHOED
    assert service.counters == {"answered": 3, "busy": 1}


@pytest.mark.parametrize("lease_s", [60.0, 0.0], ids=["in its lease", "after its lease"])
def test_a_repeat_while_the_model_works_is_not_answered_twice(site: Site, lease_s: float) -> None:
    gate = Flag()
    asked = site.asker.ask()

    with site.worker(Setup(gated(gate), lease_s=lease_s)) as service:
        site.line.ask(asked)
        site.line.ask(asked)
        site.line.wait(lambda: service.counters["working"] == 1)
        gate.set()
        site.line.wait(lambda: len(site.line.replies) == 1)
        count = site.line.quiet(0.2)

    assert count == 1
    assert service.counters == {"answered": 1, "working": 1}


def test_a_stranger_is_dropped_and_the_next_question_is_served(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    asked = site.asker.ask()
    stranger = topics.Route(FLEET, POOL, DeviceId("stranger"))

    with site.worker() as service:
        for _ in range(5):
            site.line.session.publish(Message(stranger.ask, asked.wire))
        reply = site.line.answered(asked)
        site.line.wait(lambda: "stranger" in caplog.text or "dropped" in caplog.text)

    assert reply == ECHOED
    assert service.counters == {"answered": 1, "device": 5}
    assert len([m for m in caplog.messages if m.startswith("questions dropped")]) <= 2
    assert "stranger" not in caplog.text


def test_a_device_enrolled_while_the_worker_runs_is_served(site: Site) -> None:
    with site.worker():
        site.line.answered(site.asker.ask())
        newcomer = site.fleet.enroll("board-2")
        with line_of(newcomer, site.broker) as its_line:
            reply = its_line.answered(newcomer.ask())

    assert reply == ECHOED


def test_a_device_revoked_while_the_worker_runs_is_not_served(site: Site) -> None:
    with site.worker() as service:
        site.line.answered(site.asker.ask())
        site.fleet.revoke(site.asker)
        for _ in range(2):  # the worker looks once a second; the first look may be under way
            before = service.vitals
            site.line.wait(lambda: service.vitals is not before)  # noqa: B023 - it is used here
        site.line.ask(site.asker.ask())
        site.line.wait(lambda: service.counters["device"] == 1)

    assert service.counters == {"answered": 1, "device": 1}


def test_presence_comes_with_the_worker_and_goes_with_it(site: Site) -> None:
    two = Engine("echo 1", echo().complete, concurrency=2)
    with site.worker(Setup(two, Limits(queue=8))):
        born = json.loads(site.line.presences[-1].payload)
    site.line.wait(lambda: site.line.presences[-1].payload == b"")

    assert born == {
        "session": born["session"],
        "online": True,
        "capacity": 10,
        "load": 0,
        "domains": [DOMAIN],
        "models": ["echo 1"],
        "away": [],
        "counters": {},
    }
