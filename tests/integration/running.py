"""An agent and a worker that run, on a broker, for as long as a block."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from agent.core.clean import Expectation
from agent.core.find import find as find_by_rule
from agent.core.gate import GatePolicy
from agent.core.policy import MaskRules
from agent.models.scripted import ScriptedModel
from agent.shell.events import Arrived, Stop
from agent.shell.loop import AgentEvent
from agent.stages import Delivery, FindSpans
from agent.task import Task
from broker.fleet.mosquitto import LOOPBACK, free_ports
from broker.wire.credentials import load_worker
from broker.wire.payload import PayloadKind
from broker.wire.tls import TlsFiles
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import Completer, echo
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from firstline.assemble import AgentParts, agent_loop
from tests.asker import DOMAIN, Asker, Fleet

TASK = "home"
WITHIN_S = 60.0
QUESTION = "mail bob@example.org"


@dataclass(slots=True)
class Agent:
    """A running agent, asked through its queue."""

    queue: SimpleQueue[AgentEvent] = field(default_factory=SimpleQueue)
    answers: SimpleQueue[Delivery] = field(default_factory=SimpleQueue)
    counters: Counter[str] = field(default_factory=Counter)
    refusals: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def ask(self, text: str = QUESTION, identity: str = "1") -> None:
        """Put a question in."""
        data = text.encode()
        event = Arrived(TASK, "a.txt", identity, lambda n: data[:n], _nothing, self._refused)
        self.queue.put(event)

    def _refused(self, error: Exception) -> None:
        self.refusals.put(str(error))

    def answer(self) -> Delivery:
        """The next answer."""
        return self.answers.get(timeout=WITHIN_S)

    def silent(self) -> bool:
        """Whether there is no other answer for a while."""
        try:
            self.answers.get(timeout=1.0)
        except Empty:
            return True
        return False


def _nothing() -> None:
    """These inputs are kept nowhere."""


@contextmanager
def on_a_thread(run: Callable[[], None]) -> Iterator[None]:
    """Run until the block ends and what it runs has been told to stop."""
    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(WITHIN_S)
        assert not thread.is_alive()


@contextmanager
def running_agent(  # noqa: PLR0913 - what differs, by name
    asker: Asker,
    state: Path,
    port: int,
    *,
    patience_s: float = 60.0,
    resend_s: float = 0.3,
    find: FindSpans = find_by_rule,
    tls: TlsFiles | None = None,
) -> Iterator[Agent]:
    """An agent that is never sure."""
    agent = Agent()
    task = Task(
        name=TASK,
        expect=Expectation(PayloadKind.TEXT),
        rules=MaskRules(),
        model=ScriptedModel(lambda _: "draft", chance=0.0),
        domain=DOMAIN,
        gate=GatePolicy(max_error=0.1),
        patience_s=patience_s,
        provisional=False,
        deliver=agent.answers.put,
    )
    state.mkdir(exist_ok=True)
    parts = AgentParts(
        credentials=asker.credentials,
        host=LOOPBACK,
        port=port,
        state=state,
        tasks={TASK: task},
        queue=agent.queue,
        find=find,
        resend_s=resend_s,
        counters=agent.counters,
        tls=tls,
    )

    def run() -> None:  # SQLite wants one thread for all of an outbox's life
        with agent_loop(parts) as loop:
            loop.run()

    with on_a_thread(run):
        try:
            yield agent
        finally:
            agent.queue.put(Stop())


@contextmanager
def running_worker(  # noqa: PLR0913 - what differs, by name
    fleet: Fleet,
    state: Path,
    port: int,
    *,
    completer: Completer | None = None,
    limits: Limits | None = None,
    tls: bool = False,
    keys: Path | None = None,
) -> Iterator[WorkerService]:
    """A worker that echoes, or answers with a model of the test's choice."""
    services: SimpleQueue[WorkerService] = SimpleQueue()
    limits = limits or Limits(drain_s=1.0, clock_proof_s=0.0)
    keys = keys or fleet.worker_folder
    files = TlsFiles.of(keys) if tls else None
    address = worker_address(LOOPBACK, port, limits, tls=files)

    def run() -> None:
        with ClaimStore(state) as store:
            worker = Worker(
                credentials=load_worker(keys),
                devices=Devices(keys),
                completers={DOMAIN: completer or echo()},
                store=store,
                limits=limits,
            )
            service = WorkerService(worker=worker, address=address)
            services.put(service)
            service.run()

    with on_a_thread(run):
        service = services.get(timeout=WITHIN_S)
        try:
            yield service
        finally:
            service.stop()


def free_port() -> int:
    """One that nobody is given by chance until somebody listens there."""
    (port,) = free_ports(LOOPBACK, 0)
    return port
