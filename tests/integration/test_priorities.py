"""Questions that waited for the link reach the worker by their tasks' priorities."""

import time
from functools import partial
from pathlib import Path

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.policy import MaskRules
from agent.models.scripted import ScriptedModel
from agent.shell.events import Arrived, TasksChanged
from agent.task import Task
from broker.fleet.mosquitto import RunningBroker
from broker.wire.messages import Answer, Priority, Question
from broker.wire.payload import PayloadKind
from cloud_worker.models import Instant
from firstline.bench.tcp_proxy import TcpProxy
from tests.asker import DOMAIN, Asker, Fleet
from tests.integration.running import WITHIN_S, Agent, running_agent, running_worker

ASKED = [Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL, Priority.HIGH]


def test_what_waited_for_the_link_comes_to_the_worker_by_priority(
    fleet: Fleet, asker: Asker, broker: RunningBroker, tmp_path: Path
) -> None:
    heard: list[Priority] = []

    def note(question: Question, _deadline_s: float) -> Answer:
        heard.append(question.priority)
        return Answer("yes", "noting", 1.0)

    completer = Instant("noting", note)
    with (
        running_worker(fleet, tmp_path / "w", broker.port, completer=completer) as worker,
        TcpProxy((broker.host, broker.port)) as link,
    ):
        link.shut()
        with running_agent(asker, tmp_path / "state", link.port) as agent:
            tasks = {each.value: task(agent, each) for each in Priority}
            agent.queue.put(TasksChanged(lambda: tasks))
            for number, priority in enumerate(ASKED):
                agent.queue.put(arrived(priority, str(number)))
            give_up_s = time.monotonic() + WITHIN_S
            while agent.counters["escalated"] < len(ASKED) or not worker._session._online:
                assert time.monotonic() < give_up_s
                time.sleep(0.01)
            link.restore()
            for _ in ASKED:
                agent.answer()

    assert heard == sorted(ASKED, key=lambda each: each.rank)


def task(agent: Agent, priority: Priority) -> Task:
    """A task of a priority, named after it."""
    return Task(
        name=priority,
        expect=Expectation(PayloadKind.TEXT),
        rules=MaskRules(),
        model=ScriptedModel(lambda _: "draft", chance=0.0),
        domain=DOMAIN,
        gate=GatePolicy(max_error=0.1),
        patience_s=60.0,
        priority=priority,
        provisional=False,
        deliver=agent.answers.put,
    )


def arrived(name: str, identity: str) -> Arrived:
    """An input of a task."""
    return Arrived(name, "a.txt", identity, partial(_read, b"on?"), _nothing, _raise)


def _read(data: bytes, _limit_bytes: int) -> bytes:
    return data


def _nothing() -> None:
    """It is kept nowhere."""


def _raise(error: Exception) -> None:
    raise error
