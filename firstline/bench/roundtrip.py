"""How long a sealed, durable question takes, beside a bare one, in the same run.

    Arrived --> queue --> Loop --> mask, seal, outbox (fsync) --> mosquitto --> worker process
    delivered <-- restore <-- unseal <-- reply <-- mosquitto <-- claim, open, echo, seal, store

The agent's own loop, pipeline, outbox and session run in this process, the worker's service in
another; only the models are replaced, by one that is never sure and one that echoes. Bare and
sealed rounds take turns, so that both see the same noise of the machine.
"""

import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.mask import MaskRules
from agent.models.scripted import ScriptedModel
from agent.shell.events import Arrived, Stop
from agent.shell.loop import AgentEvent
from agent.stages import Delivery, Origin
from agent.task import Task
from broker.fleet.mosquitto import running_broker
from broker.wire.credentials import load_device
from broker.wire.payload import PayloadKind
from broker.wire.session import Address, Event, Online, Received, Session
from firstline.assemble import AgentParts, agent_loop
from firstline.bench.bare import BareDevice
from firstline.bench.fleet import ECHO, make_fleet

_BLOCK = 50  # rounds before the other kind has its turn
_WARM_UP = 50
_PATIENCE_S = 30.0
_ON_DISK = "/var/tmp"  # noqa: S108 - /tmp may be in memory, where waiting for the disk is free
_PAUSE_S = 0.001  # between two rounds of either kind, as questions come in life
_Asked = TypeVar("_Asked")
_LETTERS = str.maketrans("0123456789", "ghijklmnop")  # no digits: nothing to mask


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The figures, times in milliseconds."""

    bare_p50_ms: float
    sealed_p50_ms: float
    sealed_p99_ms: float
    ratio: float  # sealed p50 / bare p50
    request_overhead_bytes: int
    reply_overhead_bytes: int
    rounds: int  # of each kind
    bare_p99_ms: float
    question_bytes: int


def measure(rounds: int, size: int, progress: Callable[[int], None]) -> RoundTrip:
    """Ask `rounds` questions of `size` bytes of each kind.

    Raises:
        TimeoutError: no answer came.
    """
    bare: list[float] = []
    sealed: list[float] = []
    with (
        tempfile.TemporaryDirectory(dir=_ON_DISK) as name,
        running_broker(Path(name) / "broker") as broker,
        BareDevice(broker.host, broker.port) as bare_device,
        _sealed_device(Path(name), broker.host, broker.port) as sealed_device,
    ):
        payload = secrets.token_bytes(size)
        for _ in range(_WARM_UP):
            bare_device.ask(payload)
            sealed_device.ask(_text(size))
        while len(sealed) < rounds:
            block = min(_BLOCK, rounds - len(sealed))
            bare += [_after_pause(bare_device.ask, payload) for _ in range(block)]
            sealed += [_after_pause(sealed_device.ask, _text(size)) for _ in range(block)]
            progress(block)
        sizes = _sizes_on_the_wire(broker.host, broker.port, sealed_device, size)
    bare_p50, sealed_p50 = statistics.median(bare), statistics.median(sealed)
    return RoundTrip(
        bare_p50_ms=_ms(bare_p50),
        sealed_p50_ms=_ms(sealed_p50),
        sealed_p99_ms=_ms(_percentile(sealed, 0.99)),
        ratio=round(sealed_p50 / bare_p50, 2),
        request_overhead_bytes=sizes[0] - size,
        reply_overhead_bytes=sizes[1] - size,
        rounds=rounds,
        bare_p99_ms=_ms(_percentile(bare, 0.99)),
        question_bytes=size,
    )


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
def _sealed_device(folder: Path, host: str, port: int) -> Iterator[SealedDevice]:
    keys = make_fleet(folder / "fleet")
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    device = SealedDevice(queue, ECHO)
    task = Task(
        name=ECHO,
        expect=Expectation(PayloadKind.TEXT, max_chars=1 << 16),
        rules=MaskRules(),
        model=ScriptedModel(lambda _: "unsure", chance=0.0),
        domain=ECHO,
        gate=GatePolicy(max_error=0.01),
        patience_s=_PATIENCE_S,
        provisional=False,
        deliver=device.deliver,
    )
    state = folder / "state"
    state.mkdir()
    parts = AgentParts(
        credentials=load_device(keys.device),
        host=host,
        port=port,
        state=state,
        tasks={ECHO: task},
        queue=queue,
    )
    with _echo_worker(keys.worker, host, port):
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
def _echo_worker(keys: Path, host: str, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "firstline.bench.echo_worker", str(keys), host, str(port)]
    with subprocess.Popen(command) as worker:  # noqa: S603 - our own module
        try:
            yield
        finally:
            worker.terminate()


def _sizes_on_the_wire(host: str, port: int, device: SealedDevice, size: int) -> tuple[int, int]:
    """Listen to one more exchange; bytes of its question and its reply."""
    heard: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=host, port=port, client_id="bench-listener")
    filters = ["fl/v1/+/ask/+/+", "fl/v1/+/dev/+/answer"]
    with Session(address, subscriptions=filters, sink=heard.put):
        while not isinstance(heard.get(timeout=_PATIENCE_S), Online):
            pass
        time.sleep(0.2)  # until the broker has taken the subscriptions
        device.ask(_text(size))
        messages: list[Received] = []
        while len(messages) < 2:  # noqa: PLR2004 - a question and a reply
            event = heard.get(timeout=_PATIENCE_S)
            if isinstance(event, Received):
                messages.append(event)
    asked, answered = sorted(messages, key=lambda each: each.topic.endswith("/answer"))
    return len(asked.payload), len(answered.payload)


def _after_pause(ask: Callable[[_Asked], float], question: _Asked) -> float:
    time.sleep(_PAUSE_S)  # until the round before has been put away on both sides
    return ask(question)


def _text(size: int) -> str:
    return secrets.token_hex(size)[:size].translate(_LETTERS)


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)


def _nothing() -> None:
    """A question of the bench is kept nowhere."""


def _raise(error: Exception) -> None:
    raise error
