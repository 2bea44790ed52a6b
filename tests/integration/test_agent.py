"""The agent's loop with a real mosquitto: there, restarted, absent."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.stages import Origin
from broker.fleet.mosquitto import RunningBroker, running_broker
from tests.asker import Asker, Fleet
from tests.integration.running import QUESTION, free_port, running_agent, running_worker

pytestmark = pytest.mark.broker


def test_a_question_crosses_a_real_broker_and_comes_back_restored(
    broker: RunningBroker, fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    with (
        running_agent(asker, tmp_path / "state", broker.port) as agent,
        running_worker(fleet, tmp_path / "claims.db", broker.port),
    ):
        agent.ask()

        answer = agent.answer()

    assert (answer.answer, answer.origin, answer.flags) == (QUESTION, Origin.CLOUD, ())


def test_a_broker_that_restarts_while_a_question_waits_loses_nothing(
    fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    port = free_port()
    with ExitStack() as stack:
        with running_broker(tmp_path / "broker", port=port):
            agent = stack.enter_context(running_agent(asker, tmp_path / "state", port))
            agent.ask()
            while not agent.counters["nobody_listened"]:
                time.sleep(0.01)
        with (
            running_broker(tmp_path / "broker", port=port),
            running_worker(fleet, tmp_path / "claims.db", port),
        ):
            answer = agent.answer()
            assert agent.silent()
            assert agent.counters["broker_losses"] == 1

    assert (answer.origin, answer.answer) == (Origin.CLOUD, QUESTION)


def test_a_broker_that_comes_after_the_question_gets_it(
    fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    port = free_port()
    with running_agent(asker, tmp_path / "state", port) as agent:
        agent.ask()
        while not agent.counters["broker_failures"]:
            time.sleep(0.01)

        with (
            running_broker(tmp_path / "broker", port=port),
            running_worker(fleet, tmp_path / "claims.db", port),
        ):
            answer = agent.answer()

    assert answer.origin is Origin.CLOUD


def test_without_a_broker_the_draft_is_delivered_with_the_reason(
    asker: Asker, tmp_path: Path
) -> None:
    with running_agent(asker, tmp_path / "state", free_port(), patience_s=1.0) as agent:
        while not agent.counters["broker_failures"]:
            time.sleep(0.01)
        agent.ask()

        answer = agent.answer()

    assert (answer.answer, answer.origin) == ("draft", Origin.DEGRADED)
    assert answer.flags == ("the broker cannot be reached: Connection refused",)


def test_without_a_worker_the_draft_is_delivered_with_the_reason(
    broker: RunningBroker, asker: Asker, tmp_path: Path
) -> None:
    with running_agent(asker, tmp_path / "state", broker.port, patience_s=5.0) as agent:
        agent.ask()

        answer = agent.answer()

    assert answer.flags == ("no worker is listening",)
    assert agent.counters["nobody_listened"] >= 1


def test_the_same_input_after_a_restart_is_the_same_question(
    broker: RunningBroker, fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    with running_agent(asker, tmp_path / "state", broker.port) as agent:
        agent.ask()
        while not agent.counters["nobody_listened"]:
            time.sleep(0.01)
    with (
        running_worker(fleet, tmp_path / "claims.db", broker.port),
        running_agent(asker, tmp_path / "state", broker.port) as agent,
    ):
        agent.ask()
        first = agent.answer()
        agent.ask()

        assert agent.silent()

    assert first.origin is Origin.CLOUD
