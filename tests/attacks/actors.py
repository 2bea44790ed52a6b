"""Who is attacked: an agent, seen from inside, and the worker's model."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from uuid import UUID

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.policy import MaskRules
from agent.models.scripted import ScriptedModel
from agent.shell.events import Stop
from agent.shell.loop import AgentEvent
from agent.stages import Delivery
from agent.task import Task
from broker.fleet.mosquitto import LOOPBACK
from broker.wire.messages import Answer, Question
from broker.wire.payload import PayloadKind, Text
from firstline.assemble import AgentParts, agent_loop
from tests.asker import DOMAIN, Asker
from tests.integration.running import on_a_thread

RESEND_S = 0.1
QUESTION = "question"  # begins those that the stage asks
PATIENT, HASTY = "patient", "hasty"  # tasks, and how long they wait
_PATIENCE_S = {PATIENT: 60.0, HASTY: 0.6}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an attack's own."""

    ticket: UUID
    text: str

    @property
    def true_answer(self) -> str:
        """What the worker's model says to it."""
        return f"cloud {self.text}"


@dataclass(slots=True)
class Device:
    """The agent, seen from inside."""

    asker: Asker
    queue: SimpleQueue[AgentEvent] = field(default_factory=SimpleQueue)
    counters: Counter[str] = field(default_factory=Counter)
    deliveries: dict[UUID, list[Delivery]] = field(default_factory=dict)

    def deliver(self, delivery: Delivery) -> None:
        self.deliveries.setdefault(delivery.ticket, []).append(delivery)


@dataclass(slots=True)
class Model:
    """The worker's model: what it was asked, and how often."""

    asked: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def complete(self, question: Question, _deadline_s: float) -> Answer:
        assert isinstance(question.payload, Text)
        text = question.payload.text
        with self._lock:
            self.asked[text] += 1
        return Answer(f"cloud {text}", "cloud 1", 1.0)


@contextmanager
def running_device(device: Device, state: Path, port: int) -> Iterator[None]:
    state.mkdir()
    parts = AgentParts(
        credentials=device.asker.credentials,
        host=LOOPBACK,
        port=port,
        state=state,
        tasks={name: _task(name, device) for name in _PATIENCE_S},
        queue=device.queue,
        resend_s=RESEND_S,
        counters=device.counters,
    )

    def run() -> None:
        with agent_loop(parts) as agent:
            agent.run()

    with on_a_thread(run):
        try:
            yield
        finally:
            device.queue.put(Stop())


def _task(name: str, device: Device) -> Task:
    return Task(
        name=name,
        expect=Expectation(PayloadKind.TEXT),
        rules=MaskRules(),
        model=ScriptedModel(lambda _: "draft", chance=0.0),
        domain=DOMAIN,
        gate=GatePolicy(max_error=0.1),
        patience_s=_PATIENCE_S[name],
        provisional=False,
        deliver=device.deliver,
    )
