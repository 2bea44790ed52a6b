"""The agent's loop with a real mosquitto: restarted, absent, refusing, slow."""

import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

import pytest

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.mask import MaskRules
from agent.models.scripted import ScriptedModel
from agent.pipeline import Task
from agent.shell.events import Arrived, Stop
from agent.shell.loop import AgentEvent
from agent.stages import Delivery, Origin
from broker.fleet.mosquitto import LOOPBACK, RunningBroker, find_mosquitto, running_broker
from broker.wire.credentials import load_worker
from broker.wire.payload import PayloadKind
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import echo
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from firstline.assemble import AgentParts, agent_loop
from tests.asker import DOMAIN, Asker, Fleet

pytestmark = pytest.mark.broker
TASK = "home"
WITHIN_S = 15.0
QUESTION = "mail bob@example.org"


@dataclass(slots=True)
class Agent:
    """A running agent, asked through its queue."""

    queue: SimpleQueue[AgentEvent] = field(default_factory=SimpleQueue)
    answers: SimpleQueue[Delivery] = field(default_factory=SimpleQueue)
    counters: Counter[str] = field(default_factory=Counter)

    def ask(self, text: str = QUESTION, identity: str = "1") -> None:
        """Put a question in."""
        data = text.encode()
        event = Arrived(TASK, "a.txt", identity, lambda n: data[:n], _nothing, _nothing)
        self.queue.put(event)

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


def _nothing(*_: object) -> None:
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
def running_agent(
    asker: Asker, state: Path, port: int, *, patience_s: float = 60.0, resend_s: float = 0.3
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
        resend_s=resend_s,
        counters=agent.counters,
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
def running_worker(fleet: Fleet, state: Path, port: int) -> Iterator[None]:
    """A worker that echoes."""
    services: SimpleQueue[WorkerService] = SimpleQueue()
    limits = Limits(drain_s=1.0)

    def run() -> None:
        with ClaimStore(state) as store:
            worker = Worker(
                credentials=load_worker(fleet.worker_folder),
                devices=Devices(fleet.worker_folder),
                completers={DOMAIN: echo()},
                store=store,
                limits=limits,
            )
            service = WorkerService(worker=worker, address=worker_address(LOOPBACK, port, limits))
            services.put(service)
            service.run()

    with on_a_thread(run):
        service = services.get(timeout=WITHIN_S)
        try:
            yield
        finally:
            service.stop()


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


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
    with running_agent(asker, tmp_path / "state", free_port(), patience_s=1.5) as agent:
        agent.ask()

        answer = agent.answer()

    assert (answer.answer, answer.origin) == ("draft", Origin.DEGRADED)
    assert answer.flags == ("the broker cannot be reached",)


def test_without_a_worker_the_draft_is_delivered_with_the_reason(
    broker: RunningBroker, asker: Asker, tmp_path: Path
) -> None:
    with running_agent(asker, tmp_path / "state", broker.port, patience_s=1.5) as agent:
        agent.ask()

        answer = agent.answer()

    assert answer.flags == ("no worker is listening",)
    assert agent.counters["nobody_listened"] >= 1


def test_a_broker_that_refuses_us_is_told_in_the_answer(asker: Asker, tmp_path: Path) -> None:
    with (
        refusing_broker(tmp_path) as port,
        running_agent(asker, tmp_path / "state", port, patience_s=1.5) as agent,
    ):
        agent.ask()

        answer = agent.answer()

    assert answer.origin is Origin.DEGRADED
    assert answer.flags == ("the broker refused us: Not authorized",)


def test_a_slow_broker_costs_time_and_repeats_but_no_second_answer(
    broker: RunningBroker, fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    with (
        slow_road(broker.port, delay_s=0.4) as port,
        running_worker(fleet, tmp_path / "claims.db", broker.port),
        running_agent(asker, tmp_path / "state", port, resend_s=0.1) as agent,
    ):
        for number in range(5):
            agent.ask(identity=str(number))

        answers = [agent.answer() for _ in range(5)]
        assert agent.silent()

    assert {answer.origin for answer in answers} == {Origin.CLOUD}
    assert len({answer.ticket for answer in answers}) == 5
    assert agent.counters["resends"] > 0
    assert agent.counters["replies_repeated"] > 0


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


@contextmanager
def refusing_broker(folder: Path) -> Iterator[int]:
    """A mosquitto that knows nobody."""
    port = free_port()
    config, passwords = folder / "refusing.conf", folder / "passwords"
    passwords.touch()
    config.write_text(
        f"listener {port} {LOOPBACK}\nallow_anonymous false\npassword_file {passwords}\nuser root\n"
    )
    with subprocess.Popen([find_mosquitto(), "-c", config], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_it_answers(port)
            yield port
        finally:
            process.terminate()


def wait_until_it_answers(port: int) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while time.monotonic() < give_up_s:
        try:
            socket.create_connection((LOOPBACK, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError("the broker did not start")


@contextmanager
def slow_road(  # noqa: C901 - two directions, each read on one thread and written on another
    port: int, *, delay_s: float
) -> Iterator[int]:
    """A way to a broker on which every byte takes its time."""
    closed = Event()
    with socket.create_server((LOOPBACK, 0)) as server, ExitStack() as connections:
        server.settimeout(0.1)

        def accept() -> None:
            while not closed.is_set():
                try:
                    near, _ = server.accept()
                except TimeoutError:
                    continue
                connections.enter_context(near)
                far = connections.enter_context(socket.create_connection((LOOPBACK, port)))
                for source, target in ((near, far), (far, near)):
                    Thread(target=crawl, args=(source, target), daemon=True).start()

        def crawl(source: socket.socket, target: socket.socket) -> None:
            late: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            Thread(target=hand_on, args=(late, target), daemon=True).start()
            data = b"."
            while data:
                try:
                    data = source.recv(65_536)
                except OSError:
                    data = b""
                late.put((time.monotonic() + delay_s, data))

        def hand_on(late: SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
            while True:
                due_s, data = late.get()
                time.sleep(max(0.0, due_s - time.monotonic()))
                try:
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(data)
                except OSError:
                    return

        with on_a_thread(accept):
            try:
                yield int(server.getsockname()[1])
            finally:
                closed.set()
