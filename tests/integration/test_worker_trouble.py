"""What goes wrong inside a worker costs at most the question that it went wrong with."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from threading import Event as Flag

import pytest

from broker.wire.messages import Answer
from cloud_worker.limits import Limits
from cloud_worker.store import ClaimStore, New, Request
from tests.asker import Asked
from tests.site import Setup, Site, gated

pytestmark = pytest.mark.broker

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)


def break_claims(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE claims")


def test_an_answer_that_the_disk_does_not_take_is_sent_all_the_same(site: Site) -> None:
    gate = Flag()
    asked = site.asker.ask()

    with site.worker(Setup(gated(gate))) as service:
        site.line.ask(asked)
        site.line.wait(lambda: site.claimed() == 1)
        break_claims(site.claims)
        gate.set()
        site.line.wait(lambda: len(site.line.replies) == 1)

    assert asked.read(site.line.replies[0].payload) == ECHOED
    assert service.counters["unstored"] == 1


def test_a_worker_without_its_claims_answers_nothing_twice_and_does_not_stop(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with site.worker() as service:
        break_claims(site.claims)
        for _ in range(2):
            site.line.ask(site.asker.ask())
        site.line.wait(lambda: service.counters["store"] >= 2)
        count = site.line.quiet(0.1)

    assert count == 0
    assert "the claims cannot be read" in caplog.text


def test_a_mistake_of_ours_costs_one_question(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    fails = Flag()

    def clock() -> float:
        if fails.is_set():
            fails.clear()
            raise ZeroDivisionError
        return time.time()

    lost = site.asker.ask()
    with site.worker(Setup(now_s=clock)) as service:
        site.line.quiet(0.1)
        fails.set()
        site.line.ask(lost)
        site.line.wait(lambda: service.counters["failed"] == 1)
        again = site.line.answered(lost)

    assert again == ECHOED
    assert "a mistake of ours" in caplog.text


def test_what_is_not_finished_in_time_is_given_up_for_the_next_worker(site: Site) -> None:
    gate = Flag()
    asked: Asked = site.asker.ask()
    limits = Limits(drain_s=0.2)

    with ClaimStore(site.claims) as witness:  # so that no start opens the claims of the dead
        with site.worker(Setup(gated(gate), limits)):
            site.line.ask(asked)
            site.line.wait(lambda: site.claimed() == 1)
        state = _state(witness, asked)
        gate.set()

    assert state == New()


def _state(store: ClaimStore, asked: Asked) -> object:
    request = Request(asked.route.device, asked.ticket, asked.key.bound, 0.0)
    return store.look(request, now_s=time.time())
