"""A device's real connection, and the workers that serve it, for tests on a real broker."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread

from broker.fleet.mosquitto import RunningBroker
from broker.wire import topics
from broker.wire.credentials import load_worker
from broker.wire.messages import Answer, Busy, Question
from broker.wire.session import (
    Acknowledged,
    Address,
    Event,
    Message,
    Online,
    Received,
    Session,
)
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import Completer, Engine, echo
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from tests.asker import DOMAIN, FLEET, POOL, Asked, Asker, Fleet

PATIENCE_S = 60.0
_ROOT = Path(__file__).parents[1]


@dataclass
class Line:
    """A device's connection: publishes questions, collects replies and presences."""

    session: Session
    events: SimpleQueue[Event]
    replies: list[Received] = field(default_factory=list)
    presences: list[Received] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)  # of the broker's acknowledgements
    online: int = 0

    def ask(self, asked: Asked) -> None:
        message = Message(
            asked.route.ask,
            asked.wire,
            correlation=asked.ticket.bytes,
            answer_topic=asked.route.answer,
            expiry_s=60,
        )
        self.session.publish(message)

    def wait(self, until: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        give_up_s = time.monotonic() + patience_s
        while not until():
            if time.monotonic() > give_up_s:
                raise TimeoutError("it did not happen")
            self.take(0.05)

    def take(self, wait_s: float) -> None:
        try:
            event = self.events.get(timeout=wait_s)
        except Empty:
            return
        match event:
            case Received():
                self.session.ack(event.receipt)
                kept = self.replies if event.topic.endswith("/answer") else self.presences
                kept.append(event)
            case Online():
                self.online += 1
            case Acknowledged(_, code):
                self.codes.append(code)
            case _:
                pass

    def answered(self, asked: Asked) -> Answer | Busy:
        """Ask, and wait for the one reply."""
        count = len(self.of(asked))
        self.ask(asked)
        self.wait(lambda: len(self.of(asked)) > count)
        reply = asked.read(self.of(asked)[-1])
        assert isinstance(reply, Answer | Busy)
        return reply

    def of(self, asked: Asked) -> list[bytes]:
        """The replies that came for a question."""
        return [each.payload for each in self.replies if each.correlation == asked.ticket.bytes]

    def wait_for_worker(self) -> None:
        self.presences.clear()
        self.wait(lambda: any(presence.payload for presence in self.presences))

    def quiet(self, seconds: float) -> int:
        """How many replies have come when nothing more comes for a while."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.take(0.05)
        return len(self.replies)


@contextmanager
def line_of(asker: Asker, broker: RunningBroker) -> Iterator[Line]:
    events: SimpleQueue[Event] = SimpleQueue()
    address = Address(
        host=broker.host,
        port=broker.port,
        client_id=asker.route.device,
        session_expiry_s=60,
    )
    subscriptions = [asker.route.answer, topics.every_worker(FLEET, POOL)]
    with Session(address, subscriptions=subscriptions, sink=events.put) as session:
        line = Line(session, events)
        line.wait(lambda: line.online > 0)
        yield line


@dataclass(frozen=True)
class Setup:
    """What differs from one worker to the next."""

    completer: Completer = field(default_factory=echo)
    limits: Limits = field(default_factory=lambda: Limits(drain_s=2.0))
    lease_s: float = 60.0
    now_s: Callable[[], float] = time.time


def gated(gate: Flag) -> Engine:
    """A model that waits until the test lets it go on."""

    def complete(question: Question, deadline_s: float) -> Answer:
        gate.wait(PATIENCE_S)
        return echo().complete(question, deadline_s)

    return Engine("gated", complete)


@dataclass(frozen=True)
class Site:
    """A fleet with one device, connected to a broker; workers come and go."""

    fleet: Fleet
    asker: Asker
    broker: RunningBroker
    line: Line
    claims: Path

    def claimed(self) -> int:
        """How many questions a worker has begun with, or answered."""
        with closing(sqlite3.connect(self.claims)) as database, suppress(sqlite3.OperationalError):
            return int(database.execute("SELECT count(*) FROM claims").fetchone()[0])
        return 0  # its tables are not made yet

    @contextmanager
    def worker(self, setup: Setup | None = None) -> Iterator[WorkerService]:
        """A worker on a thread of its own, there and told of."""
        with service_of(self.fleet, self.broker, self.claims, setup or Setup()) as service:
            self.line.wait_for_worker()
            yield service

    @contextmanager
    def process(self, gate: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A worker in a process of its own, that answers once there is a file `gate`."""
        keys, claims = str(self.fleet.worker_folder), str(self.claims)
        where = [self.broker.host, str(self.broker.port), str(gate)]
        command = [sys.executable, "-m", "tests.worker_process", keys, claims, *where]
        with subprocess.Popen(command, cwd=_ROOT) as process:
            try:
                self.line.wait_for_worker()
                yield process
            finally:
                process.kill()


@contextmanager
def service_of(
    fleet: Fleet, broker: RunningBroker, claims: Path, setup: Setup
) -> Iterator[WorkerService]:
    """A worker on a thread of its own."""
    started: SimpleQueue[WorkerService] = SimpleQueue()

    def run() -> None:
        # On the thread that uses it, as SQLite asks.
        with ClaimStore(claims, lease_s=setup.lease_s) as store:
            worker = Worker(
                credentials=load_worker(fleet.worker_folder),
                devices=Devices(fleet.worker_folder),
                completers={DOMAIN: setup.completer},
                store=store,
                limits=setup.limits,
            )
            address = worker_address(broker.host, broker.port, setup.limits)
            service = WorkerService(worker=worker, address=address, now_s=setup.now_s)
            started.put(service)
            service.run()

    thread = Thread(target=run)
    thread.start()
    service = started.get(timeout=PATIENCE_S)
    try:
        yield service
    finally:
        service.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
