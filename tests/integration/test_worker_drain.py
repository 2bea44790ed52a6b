"""A worker that is told to stop with much on its hands, as its own process."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag

import pytest

from agent.stages import Origin
from broker.fleet.mosquitto import RunningBroker
from cloud_worker.vitals import GOOD
from tests.asker import DOMAIN, Asker, Fleet
from tests.integration.running import free_port, running_agent, running_worker
from tests.integration.worker_pages import Pages, until
from tests.model_server import MODEL, Handler, Scripted, scripted_server, send

pytest.importorskip("httpx")
pytest.importorskip("numpy")
pytest.importorskip("prometheus_client")

pytestmark = pytest.mark.broker
QUESTIONS = 50
CONCURRENCY = 4
DRAIN_S = 2.0
SLACK_S = 10.0  # for a process to end on a machine that others use too
LONG_S = 120.0  # what a device waits, and its first pause before it asks again by itself
SETTINGS = """\
[worker]
credentials = "{keys}"
queue = 200
retry_after_s = 0.5
drain_s = {drain_s}

[broker]
port = {broker}

[http]
port = {http}

[[engines]]
kind = "openai"
base_url = "{server}"
model = "{model}"
domains = ["{domain}"]
concurrency = {concurrency}
"""


@contextmanager
def worker_of(settings: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    path = folder / "worker.toml"
    path.write_text(settings, encoding="utf-8")
    words = ["worker", "run", "--settings", str(path), "--log-json"]
    command = [sys.executable, "-m", "firstline", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_fifty_questions_in_flight_at_sigterm_are_answered_or_given_back_and_none_is_lost(
    fleet: Fleet, asker: Asker, broker: RunningBroker, tmp_path: Path
) -> None:
    gate = Flag()

    def slowly(handler: Handler) -> None:
        gate.wait(LONG_S)
        time.sleep(0.25)
        send({"choices": [{"message": {"content": "from the first"}}]})(handler)

    script, port = Scripted(answer=slowly), free_port()
    with scripted_server(script):
        settings = SETTINGS.format(
            keys=fleet.worker_folder,
            drain_s=DRAIN_S,
            broker=broker.port,
            http=port,
            server=script.base_url,
            model=MODEL,
            domain=DOMAIN,
            concurrency=CONCURRENCY,
        )
        pages = Pages(f"http://127.0.0.1:{port}")
        with (
            running_agent(
                asker, tmp_path / "a", broker.port, patience_s=LONG_S, resend_s=LONG_S
            ) as agent,
            worker_of(settings, tmp_path) as worker,
        ):
            until(lambda: listening(pages))
            pages.wait("/readyz", set())
            for number in range(QUESTIONS):
                agent.ask(f"question {number}", str(number))
            until(lambda: accepted(pages) == (CONCURRENCY, QUESTIONS - CONCURRENCY))
            with running_worker(fleet, tmp_path / "claims.db", broker.port) as second:
                until(lambda: second.vitals.broker == GOOD)
                worker.send_signal(signal.SIGTERM)
                begun_s = time.monotonic()
                gate.set()
                _, log = worker.communicate(timeout=LONG_S)
                took_s = time.monotonic() - begun_s
                answers = [agent.answer() for _ in range(QUESTIONS)]
                assert agent.silent()

    told = {line.get("event"): line for line in map(json.loads, log.splitlines())}
    stopped = told["stopped"]
    assert worker.returncode == 0
    assert took_s < DRAIN_S + SLACK_S
    assert told["stopping"]["accepted"] == QUESTIONS
    assert stopped["answered"] + stopped["returned"] == QUESTIONS
    assert min(stopped["answered"], stopped["returned"]) >= CONCURRENCY
    assert Counter(answer.origin for answer in answers) == {Origin.CLOUD: QUESTIONS}
    assert len({answer.ticket for answer in answers}) == QUESTIONS
    assert sum(a.answer == "from the first" for a in answers) == stopped["answered"]
    assert second.counters["answered"] == stopped["returned"] == agent.counters["replies_busy"]


def listening(pages: Pages) -> bool:
    try:
        pages.get("/healthz")
    except ConnectionRefusedError:
        return False
    return True


def accepted(pages: Pages) -> tuple[float, float]:
    """Being answered, and waiting."""
    metric = pages.metric
    return metric("firstline_worker_in_flight"), metric("firstline_worker_backlog")
