"""A worker that is told to stop while a model, or the broker, does not let it."""

import os
import signal
import sqlite3
import time
from pathlib import Path
from threading import Event as Flag

import pytest

from broker.fleet.mosquitto import running_broker
from broker.wire.messages import Busy
from cloud_worker.letters import Job, Reason
from cloud_worker.limits import Limits
from cloud_worker.service import WorkerService
from tests.asker import Asker, Fleet
from tests.integration.worker_pages import until
from tests.site import PATIENCE_S, Setup, Site, gated, line_of, service_of

pytestmark = pytest.mark.broker
QUICK = Limits(drain_s=1.0, retry_after_s=0.5)


def working(service: WorkerService) -> int:
    return sum(lane.working for lane in service.vitals.lanes)


def claimed(claims: Path) -> int:
    with sqlite3.connect(claims) as database:
        count: int = database.execute("SELECT count(*) FROM claims").fetchone()[0]
    database.close()
    return count


def test_a_question_whose_model_never_ends_is_given_back_in_time(site: Site) -> None:
    gate, asked = Flag(), site.asker.ask()

    with site.worker(Setup(gated(gate), QUICK)) as service:
        site.line.ask(asked)
        until(lambda: working(service) == 1)
        begun_s = time.monotonic()
        service.stop()
        site.line.wait(lambda: bool(site.line.of(asked)))
    took_s = time.monotonic() - begun_s
    gate.set()

    reply = asked.read(site.line.of(asked)[0])
    assert isinstance(reply, Busy)
    assert 0.25 <= reply.retry_after_s <= 0.75
    assert took_s < PATIENCE_S / 2  # the model alone would take longer
    assert service.counters == {Reason.RETURNED: 1}
    assert claimed(site.claims) == 0  # anybody may work on it now


def test_what_a_model_says_after_its_question_was_given_back_is_left_alone(site: Site) -> None:
    gate, asked = Flag(), site.asker.ask()

    with site.worker(Setup(gated(gate), QUICK)) as service:
        give_back = service._intake.give_back

        def and_then_it_answers(job: Job) -> None:
            give_back(job)
            gate.set()
            until(lambda: not service._queue.empty())

        service._intake.give_back = and_then_it_answers  # type: ignore[method-assign]
        site.line.ask(asked)
        until(lambda: working(service) == 1)
        service.stop()
        site.line.wait(lambda: bool(site.line.of(asked)))

    assert isinstance(asked.read(site.line.of(asked)[0]), Busy)
    assert service.counters == {Reason.RETURNED: 1}


def test_a_worker_that_lost_its_broker_stops_in_time_and_keeps_no_claim(
    asker: Asker, fleet: Fleet, tmp_path: Path, claims: Path
) -> None:
    gate = Flag()
    with running_broker(tmp_path / "broker") as broker:
        with (
            line_of(asker, broker) as line,
            service_of(fleet, broker, claims, Setup(gated(gate), QUICK)) as service,
        ):
            line.wait_for_worker()
            line.ask(asker.ask())
            until(lambda: working(service) == 1)
            os.kill(broker.pid, signal.SIGKILL)
            until(lambda: service.vitals.broker != "ok")
            begun_s = time.monotonic()
            service.stop()
            until(lambda: service.vitals.stopping)
        took_s = time.monotonic() - begun_s
        gate.set()

    assert took_s < PATIENCE_S / 2
    assert service.counters[Reason.RETURNED] == 1
    assert claimed(claims) == 0
