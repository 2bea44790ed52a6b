"""A worker's pages turn red when something is wrong with it, and green when it is well again."""

import os
import signal
import time
from pathlib import Path
from threading import Event as Flag

import pytest

from broker.fleet.mosquitto import running_broker
from broker.wire.messages import Answer, Question
from cloud_worker.models import Engine, Instant, echo
from tests.asker import FEW_EPOCHS, Asker, Fleet
from tests.integration.worker_pages import pages_of
from tests.site import PATIENCE_S, Setup, Site, service_of

pytestmark = pytest.mark.broker
HANG_S = 2.0  # the loop says something every second


def test_health_turns_red_when_the_loop_hangs_and_green_when_it_turns_again(site: Site) -> None:
    gate = Flag()

    def hang(question: Question, deadline_s: float) -> Answer:
        gate.wait(3 * PATIENCE_S)
        return echo().complete(question, deadline_s)

    with (
        site.worker(Setup(Instant("echo 1", hang))) as service,
        pages_of(service, hang_s=HANG_S) as pages,
    ):
        pages.wait("/healthz", set())
        site.line.ask(site.asker.ask())
        pages.wait("/healthz", {"loop"})
        ready = pages.failed("/readyz")
        gate.set()
        pages.wait("/healthz", set())
        pages.wait("/readyz", set())

    assert ready == {"loop"}


def test_ready_turns_red_without_a_broker_and_green_when_it_is_back(
    asker: Asker, fleet: Fleet, tmp_path: Path, claims: Path
) -> None:
    assert asker.route.device
    with running_broker(tmp_path / "broker") as broker:
        service_runs = service_of(fleet, broker, claims, Setup())
        with service_runs as service, pages_of(service) as pages:
            pages.wait("/readyz", set())
            os.kill(broker.pid, signal.SIGKILL)
            pages.wait("/readyz", {"broker"})
            os.waitid(os.P_PID, broker.pid, os.WEXITED | os.WNOWAIT)
            with running_broker(tmp_path / "broker", port=broker.port):
                pages.wait("/readyz", set())
            alive = pages.failed("/healthz")

    assert alive == set()  # a new worker would find no broker either


def test_ready_turns_red_when_the_keys_are_over_and_green_with_new_ones(site: Site) -> None:
    shift_s = [0.0]

    with (
        site.worker() as service,
        pages_of(service, now_s=lambda: time.time() + shift_s[0]) as pages,
    ):
        pages.wait("/readyz", set())
        shift_s[0] = service.vitals.keys_end_s - time.time() + 1.0
        pages.wait("/readyz", {"keys"})
        site.fleet.rotate(FEW_EPOCHS, now_s=time.time() + shift_s[0])
        pages.wait("/readyz", set())


def test_ready_turns_red_while_the_worker_stops(site: Site) -> None:
    gate = Flag()

    def slowly(question: Question, deadline_s: float) -> Answer:
        gate.wait(PATIENCE_S)
        return echo().complete(question, deadline_s)

    with site.worker(Setup(Engine("slow", slowly))) as service, pages_of(service) as pages:
        pages.wait("/readyz", set())
        site.line.ask(site.asker.ask())
        pages.wait("/readyz", set())
        service.stop()
        gate.set()
        pages.wait("/readyz", {"intake"})
