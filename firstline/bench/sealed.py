"""An agent whose questions are all sealed and echoed: what a bench asks.

The agent's own loop, pipeline, outbox and session run in this process, the worker's service in
another; only the models are replaced, by one that is never sure and one that echoes.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from agent.shell.events import Arrived, Stop
from agent.shell.loop import AgentEvent
from agent.stages import Delivery, Origin
from broker.fleet.mosquitto import RunningBroker
from broker.wire.credentials import load_device
from broker.wire.tls import TlsFiles
from firstline.assemble import AgentParts, agent_loop
from firstline.bench.echo_task import echo_task
from firstline.bench.fleet import ECHO, FleetKeys

_PATIENCE_S = 30.0


@dataclass(slots=True)
class SealedDevice:
    """An agent's loop on a thread of its own, asked from outside."""

    queue: SimpleQueue[AgentEvent]
    task: str
    answered: threading.Event = field(default_factory=threading.Event)
    question: bytes = b""
    delivery: Delivery | None = None
    started_s: float = 0.0
    answered_s: float = 0.0
    asked: int = 0

    def ask(self, text: str) -> float:
        """Ask once; return the time from reading the question to delivering the answer, seconds.

        Raises:
            TimeoutError: no answer, or not the worker's.
        """
        self.asked += 1
        self.question = text.encode()
        arrived = Arrived(self.task, "bench", str(self.asked), self.read, _nothing, _raise)
        self.answered.clear()
        self.queue.put(arrived)
        if not self.answered.wait(_PATIENCE_S):
            raise TimeoutError("no answer within 30 s")
        assert self.delivery is not None  # noqa: S101 - set before the event
        if self.delivery.origin is not Origin.CLOUD or self.delivery.answer != text:
            raise TimeoutError(f"not the worker's answer: {self.delivery.flags}")
        return self.answered_s - self.started_s

    def read(self, limit_bytes: int) -> bytes:
        """The task's input: its time begins where a bare client would publish."""
        self.started_s = time.perf_counter()
        return self.question[:limit_bytes]

    def deliver(self, delivery: Delivery) -> None:
        """The task's output."""
        self.answered_s = time.perf_counter()
        self.delivery = delivery
        self.answered.set()


@contextmanager
def sealed_device(
    folder: Path, keys: FleetKeys, broker: RunningBroker, *, tls: bool
) -> Iterator[SealedDevice]:
    """An agent and an echoing worker on a broker; with TLS, both by their certificates."""
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    device = SealedDevice(queue, ECHO)
    state = folder / "state"
    state.mkdir(parents=True)
    parts = AgentParts(
        credentials=load_device(keys.device),
        host=broker.host,
        port=broker.port,
        tls=TlsFiles.of(keys.device) if tls else None,
        state=state,
        tasks={ECHO: echo_task(device.deliver, _PATIENCE_S)},
        queue=queue,
    )
    with _echo_worker(keys.worker, broker, "tls" if tls else "clear"):
        runner = threading.Thread(target=_run, args=(parts,), name="agent-loop")
        runner.start()
        try:
            yield device
        finally:
            queue.put(Stop())
            runner.join()


def _run(parts: AgentParts) -> None:
    with agent_loop(parts) as loop:  # here, because SQLite wants to stay on one thread
        loop.run()


@contextmanager
def _echo_worker(keys: Path, broker: RunningBroker, how: str) -> Iterator[None]:
    command = [sys.executable, "-m", "firstline.bench.echo_worker"]
    where = [str(keys), broker.host, str(broker.port), how]
    with subprocess.Popen([*command, *where]) as worker:  # noqa: S603 - our own module
        try:
            yield
        finally:
            worker.terminate()


def _nothing() -> None:
    """A question of the bench is kept nowhere."""


def _raise(error: Exception) -> None:
    raise error
