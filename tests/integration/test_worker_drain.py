"""A worker that is told to stop with much on its hands, as its own process."""

import json
import signal
import time
from collections import Counter
from pathlib import Path
from threading import Event as Flag

import pytest

from agent.stages import Origin
from broker.fleet.mosquitto import RunningBroker
from cloud_worker.vitals import GOOD
from tests.asker import Asker, Fleet
from tests.integration.running import running_agent, running_worker
from tests.integration.worker_pages import Pages, until
from tests.integration.worker_settings import worker_run
from tests.model_server import Handler, Scripted, scripted_server, send

pytest.importorskip("httpx")
pytest.importorskip("numpy")
pytest.importorskip("prometheus_client")

pytestmark = pytest.mark.broker
QUESTIONS = 50
CONCURRENCY = 4
DRAIN_S = 4.0
SLACK_S = 30.0  # for a process to end on a machine that others use too
LONG_S = 120.0  # what a device waits, and its first pause before it asks again by itself


def test_fifty_questions_in_flight_at_sigterm_are_answered_or_given_back_and_none_is_lost(
    fleet: Fleet, asker: Asker, broker: RunningBroker, tmp_path: Path
) -> None:
    gate = Flag()

    def slowly(handler: Handler) -> None:
        gate.wait(LONG_S)
        time.sleep(0.5)
        send({"choices": [{"message": {"content": "from the first"}}]})(handler)

    script = Scripted(answer=slowly)
    with (
        scripted_server(script),
        running_agent(
            asker, tmp_path / "a", broker.port, patience_s=LONG_S, resend_s=LONG_S
        ) as agent,
        worker_run(
            fleet,
            broker.port,
            script.base_url,
            tmp_path,
            drain_s=DRAIN_S,
            concurrency=CONCURRENCY,
        ) as worker,
    ):
        for number in range(QUESTIONS):
            agent.ask(f"question {number}", str(number))
        until(lambda: accepted(worker.pages) == (CONCURRENCY, QUESTIONS - CONCURRENCY))
        with running_worker(fleet, tmp_path / "claims.db", broker.port) as second:
            until(lambda: second.vitals.broker == GOOD)
            worker.process.send_signal(signal.SIGTERM)
            begun_s = time.monotonic()
            until(lambda: "intake" in worker.pages.failed("/readyz"))  # it stops
            gate.set()
            _, log = worker.process.communicate(timeout=LONG_S)
            took_s = time.monotonic() - begun_s
            answers = [agent.answer() for _ in range(QUESTIONS)]
            assert agent.silent()

    told = {line.get("event"): line for line in map(json.loads, log.splitlines())}
    stopped = told["stopped"]
    assert worker.process.returncode == 0
    assert took_s < DRAIN_S + SLACK_S
    assert told["stopping"]["accepted"] == QUESTIONS
    assert stopped["answered"] + stopped["returned"] == QUESTIONS
    assert min(stopped["answered"], stopped["returned"]) >= CONCURRENCY
    assert Counter(answer.origin for answer in answers) == {Origin.CLOUD: QUESTIONS}
    assert len({answer.ticket for answer in answers}) == QUESTIONS
    assert sum(a.answer == "from the first" for a in answers) == stopped["answered"]
    assert second.counters["answered"] == stopped["returned"] == agent.counters["replies_busy"]


def accepted(pages: Pages) -> tuple[float, float]:
    """Being answered, and waiting."""
    metric = pages.metric
    return metric("firstline_worker_in_flight"), metric("firstline_worker_backlog")
