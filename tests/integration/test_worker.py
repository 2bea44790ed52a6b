"""The worker's service on a real mosquitto, asked by a real session."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread

import pytest

from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.wire import topics
from broker.wire.credentials import load_worker
from broker.wire.errors import BrokerUnavailableError
from broker.wire.messages import Answer, Busy, Question
from broker.wire.payload import Text
from broker.wire.session import Acknowledged, Address, Event, Message, Online, Received, Session
from broker.wire.topics import DeviceId
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import Completer, Engine, echo
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from tests.asker import DOMAIN, FLEET, POOL, Asked, Asker, Fleet

pytestmark = pytest.mark.broker

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)
PATIENCE_S = 10.0
ROOT = Path(__file__).parents[2]


@dataclass
class Line:
    """A device's connection: publishes questions, collects replies and presences."""

    session: Session
    events: SimpleQueue[Event]
    replies: list[Received] = field(default_factory=list)
    presences: list[Received] = field(default_factory=list)
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
class Site:
    """A fleet with one device, connected to a broker; workers come and go."""

    fleet: Fleet
    asker: Asker
    broker: RunningBroker
    line: Line
    claims: Path

    @contextmanager
    def worker(
        self, completer: Completer | None = None, limits: Limits | None = None
    ) -> Iterator[WorkerService]:
        """A worker on a thread of its own, there and told of."""
        with service_of(self.fleet, self.broker, self.claims, completer, limits) as service:
            self.line.wait_for_worker()
            yield service

    @contextmanager
    def process(self, *, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
        """A worker in a process of its own, that takes `seconds` for each answer."""
        keys, claims = str(self.fleet.worker_folder), str(self.claims)
        where = [self.broker.host, str(self.broker.port), str(seconds)]
        command = [sys.executable, "-m", "tests.worker_process", keys, claims, *where]
        with subprocess.Popen(command, cwd=ROOT) as process:
            try:
                self.line.wait_for_worker()
                yield process
            finally:
                process.kill()


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    return tmp_path / "claims.db"


@pytest.fixture
def site(fleet: Fleet, asker: Asker, broker: RunningBroker, claims: Path) -> Iterator[Site]:
    with line_of(asker, broker) as line:
        yield Site(fleet, asker, broker, line, claims)


@contextmanager
def service_of(
    fleet: Fleet,
    broker: RunningBroker,
    claims: Path,
    completer: Completer | None = None,
    limits: Limits | None = None,
) -> Iterator[WorkerService]:
    started: SimpleQueue[WorkerService] = SimpleQueue()
    limits = limits or Limits(drain_s=2.0)

    def run() -> None:
        with ClaimStore(claims) as store:  # on the thread that uses it, as SQLite asks
            worker = Worker(
                credentials=load_worker(fleet.worker_folder),
                devices=Devices(fleet.worker_folder),
                completers={DOMAIN: completer or echo()},
                store=store,
                limits=limits,
            )
            address = worker_address(broker.host, broker.port, limits)
            service = WorkerService(worker=worker, address=address)
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


def gated(gate: Flag) -> Engine:
    """A model that waits until the test lets it go on."""

    def complete(question: Question) -> Answer:
        gate.wait(PATIENCE_S)
        return echo().complete(question)

    return Engine("gated", complete)


ENGINES = {"instant": echo(), "engine": Engine("echo 1", echo().complete)}


@pytest.mark.parametrize("completer", ENGINES.values(), ids=ENGINES)
def test_a_question_is_answered_and_its_repeat_gets_the_same_bytes(
    site: Site, completer: Completer
) -> None:
    asked = site.asker.ask()

    with site.worker(completer) as service:
        first, second = site.line.answered(asked), site.line.answered(asked)

    assert (first, second) == (ECHOED, ECHOED)
    assert site.line.replies[0].payload == site.line.replies[1].payload
    assert site.line.replies[0].correlation == asked.ticket.bytes
    assert service.counters == {"answered": 1, "repeated": 1}


def test_many_questions_in_a_burst_are_each_answered_once(site: Site) -> None:
    burst = {asked.ticket.bytes: asked for asked in (site.asker.ask() for _ in range(200))}

    with site.worker():
        for asked in burst.values():
            site.line.ask(asked)
        site.line.wait(lambda: len(site.line.replies) >= len(burst))

    assert {reply.correlation for reply in site.line.replies} == set(burst)
    assert {burst[r.correlation].read(r.payload) for r in site.line.replies} == {ECHOED}


def test_a_full_worker_says_busy_at_once_and_answers_when_asked_again(site: Site) -> None:
    gate = Flag()
    limits = Limits(concurrency=1, queue=1, retry_after_s=1.0)
    running, waiting, third = site.asker.ask(), site.asker.ask(), site.asker.ask()

    with site.worker(gated(gate), limits) as service:
        site.line.ask(running)
        site.line.ask(waiting)
        busy = site.line.answered(third)
        gate.set()
        site.line.wait(lambda: len(site.line.replies) == 3)
        answer = site.line.answered(third)

    assert isinstance(busy, Busy)
    assert 0.5 <= busy.retry_after_s <= 1.5
    assert answer == ECHOED
    assert service.counters == {"answered": 3, "busy": 1}


def test_a_repeat_while_the_model_works_is_not_answered_twice(site: Site) -> None:
    gate = Flag()
    asked = site.asker.ask()

    with site.worker(gated(gate)) as service:
        site.line.ask(asked)
        site.line.ask(asked)
        site.line.wait(lambda: service.counters["working"] == 1)
        gate.set()
        site.line.wait(lambda: len(site.line.replies) == 1)
        count = site.line.quiet(0.2)

    assert count == 1
    assert service.counters == {"answered": 1, "working": 1}


def test_a_stranger_is_dropped_and_the_next_question_is_served(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    asked = site.asker.ask()
    stranger = topics.Route(FLEET, POOL, DeviceId("stranger"))

    with site.worker() as service:
        for _ in range(5):
            site.line.session.publish(Message(stranger.ask, asked.wire))
        reply = site.line.answered(asked)
        site.line.wait(lambda: "stranger" in caplog.text or "dropped" in caplog.text)

    assert reply == ECHOED
    assert service.counters == {"answered": 1, "device": 5}
    assert len([m for m in caplog.messages if m.startswith("questions dropped")]) <= 2
    assert "stranger" not in caplog.text


def test_a_device_enrolled_while_the_worker_runs_is_served(site: Site) -> None:
    with site.worker():
        site.line.answered(site.asker.ask())
        newcomer = site.fleet.enroll("board-2")
        with line_of(newcomer, site.broker) as its_line:
            reply = its_line.answered(newcomer.ask())

    assert reply == ECHOED


def test_a_device_revoked_while_the_worker_runs_is_not_served(site: Site) -> None:
    with site.worker() as service:
        site.line.answered(site.asker.ask())
        site.fleet.revoke(site.asker)
        site.line.quiet(1.1)  # the worker looks once a second
        site.line.ask(site.asker.ask())
        site.line.wait(lambda: service.counters["device"] == 1)

    assert service.counters == {"answered": 1, "device": 1}


def test_presence_comes_with_the_worker_and_goes_with_it(site: Site) -> None:
    limits = Limits(concurrency=2, queue=8)
    with site.worker(limits=limits):
        born = json.loads(site.line.presences[-1].payload)
    site.line.wait(lambda: site.line.presences[-1].payload == b"")

    assert born == {
        "session": born["session"],
        "online": True,
        "capacity": 10,
        "load": 0,
        "domains": [DOMAIN],
        "models": ["echo 1"],
        "counters": {},
    }


def test_a_restarted_broker_finds_the_worker_again(
    asker: Asker, fleet: Fleet, tmp_path: Path, claims: Path
) -> None:
    asked = asker.ask()
    with running_broker(tmp_path / "broker") as broker:
        service = service_of(fleet, broker, claims)
        line = line_of(asker, broker)
        with service, line as open_line:
            open_line.wait_for_worker()
            before = open_line.answered(asked)
            os.kill(broker.pid, signal.SIGKILL)
            os.waitid(os.P_PID, broker.pid, os.WEXITED | os.WNOWAIT)
            with running_broker(tmp_path / "broker", port=broker.port):
                open_line.presences.clear()
                open_line.wait(lambda: open_line.online == 2)
                open_line.wait(lambda: any(p.payload for p in open_line.presences))
                again = open_line.answered(asked)
                other = open_line.answered(asker.ask())

    assert (before, again, other) == (ECHOED, ECHOED, ECHOED)
    assert open_line.replies[0].payload == open_line.replies[1].payload


def test_sigterm_finishes_what_was_accepted_and_takes_nothing_more(site: Site) -> None:
    accepted, late = site.asker.ask(), site.asker.ask()

    with site.process(seconds=0.4) as process:
        site.line.ask(accepted)
        site.line.quiet(0.2)
        process.send_signal(signal.SIGTERM)
        site.line.wait(lambda: site.line.presences[-1].payload == b"")
        refused = site.line.answered(late)
        site.line.wait(lambda: len(site.line.replies) == 2)
        status = process.wait(PATIENCE_S)

    assert isinstance(refused, Busy)
    assert accepted.read(site.line.replies[1].payload) == ECHOED
    assert status == 0


def test_a_killed_workers_question_is_claimed_again_by_the_next_one(site: Site) -> None:
    done, half_done = site.asker.ask(), site.asker.ask(Question(DOMAIN, Text("again")))

    with site.process(seconds=0.3) as process:
        site.line.answered(done)
        site.line.ask(half_done)
        site.line.quiet(0.1)
        process.kill()
        process.wait()
    with site.worker() as service:
        first = site.line.answered(half_done)
        site.line.answered(done)

    assert first == Answer("again", "echo 1", 1.0)
    assert site.line.replies[0].payload == site.line.replies[-1].payload
    assert service.counters == {"answered": 1, "repeated": 1}


def test_a_killed_worker_vanishes_from_the_broker(site: Site) -> None:
    with site.process(seconds=0.0) as process:
        process.kill()
        site.line.wait(lambda: site.line.presences[-1].payload == b"")

    assert site.line.presences[0].topic == site.line.presences[-1].topic


def test_a_worker_that_cannot_reach_its_broker_stops_when_told(
    fleet: Fleet, asker: Asker, tmp_path: Path, claims: Path
) -> None:
    assert asker.route.device
    with running_broker(tmp_path / "broker") as gone:
        pass

    started_s = time.monotonic()
    with service_of(fleet, gone, claims) as service:
        time.sleep(0.2)

    assert time.monotonic() - started_s < PATIENCE_S
    assert service.counters["answered"] == 0


def test_nothing_is_published_while_offline(asker: Asker, tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as gone:
        pass
    address = Address(host=gone.host, port=gone.port, client_id="board-1")
    events: SimpleQueue[Event] = SimpleQueue()

    with (
        Session(address, subscriptions=[], sink=events.put) as session,
        pytest.raises(BrokerUnavailableError),
    ):
        session.publish(Message(asker.route.ask, b""))

    assert not any(isinstance(each, Acknowledged) for each in drained(events))


def drained(events: SimpleQueue[Event]) -> Iterator[Event]:
    while not events.empty():
        yield events.get()
