"""A device and its worker, real and running, with a hostile broker between them.

    agent <--> HostileBroker <--> mosquitto <--> HostileBroker <--> worker

All attacks share one stage, and each asks questions of its own.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest

from agent.shell import loop, presence
from agent.shell.events import Arrived, ticket_of
from broker.fleet.mosquitto import LOOPBACK, running_broker
from broker.wire import session
from broker.wire.session import Address, Event, Message, Session
from cloud_worker.models import Instant
from cloud_worker.service import WorkerService
from tests.asker import DOMAIN, Asker, Fleet, make_fleet
from tests.attacks.actors import PATIENT, QUESTION, Asked, Device, Model, running_device
from tests.attacks.hostile import HostileBroker, Rule, honest, hostile
from tests.attacks.mqtt5 import CORRELATION, Publish
from tests.integration.running import running_worker
from tests.simulator import CloudSimulator, simulated_cloud

BOARD, WORKER = "board-1", "worker-"  # in their client ids
WITHIN_S = 60.0
SETTLED_S = 0.05
# Pauses that a running device can afford, and a test cannot.
_SHORT = (
    (session, "_FIRST_RETRY_S", (0.02, 0.05)),
    (loop, "_TICK_S", 0.03),
    (presence, "_PAUSE_S", 0.3),
    (presence, "_SETTLED_S", SETTLED_S),
)


@dataclass(slots=True, kw_only=True)
class Stage:
    """What an attack has to work with."""

    folder: Path
    proxy: HostileBroker
    broker_port: int  # of mosquitto itself
    fleet: Fleet
    device: Device
    neighbour: Asker  # another enrolled device, in an attacker's hands
    worker: WorkerService
    model: Model
    second_model: Model
    outside: Session  # somebody who is connected to mosquitto itself
    _asked: int = 0

    @property
    def worker_name(self) -> str:
        """The worker's client id, which names its presence too."""
        return self.proxy.link(WORKER).name

    def ask(self, *, task: str = PATIENT) -> Asked:
        """Have the agent ask something that it has not asked before."""
        self._asked += 1
        text = f"{QUESTION} {self._asked}"
        data = text.encode()
        event = Arrived(task, f"{self._asked}.txt", "1", lambda n: data[:n], _nothing, _refused)
        self.device.queue.put(event)
        return Asked(ticket_of(event, data), text)

    def delivered(self, *asked: Asked) -> None:
        """Wait until questions have their answers."""
        until(lambda: all(each.ticket in self.device.deliveries for each in asked))

    def attacked(self, rule: Rule, *, task: str = PATIENT) -> list[Asked]:
        """Ask one question while a rule holds."""
        self.proxy.rule = rule
        asked = self.ask(task=task)
        self.delivered(asked)
        return [asked]

    def reconnect(self, part: str = BOARD) -> None:
        """Have a client connect anew, and wait until the agent is online and heard a worker."""
        link = self.proxy.link(part)
        link.cut()
        until(lambda: self.proxy.link(part) is not link)

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, ticket: bytes = b""
    ) -> None:
        """Publish as somebody who is connected to mosquitto itself."""
        self.outside.publish(Message(topic, payload, correlation=ticket, retain=retain))

    def answer(self, asked: Asked, reply: bytes) -> None:
        """Have the device receive bytes as the reply to a question."""
        route, ticket = self.device.asker.route, asked.ticket.bytes
        message = Publish(route.answer.encode(), reply).put(CORRELATION, ticket)
        self.proxy.link(BOARD).give(message)

    @contextmanager
    def second_worker(self, *, full: bool = False) -> Iterator[CloudSimulator]:
        """A worker of the same pool with a store of its own, in memory."""
        completers = {DOMAIN: Instant("cloud 2", self.second_model.complete)}
        store = self.folder / f"claims-{self._asked}.db"
        with simulated_cloud(self.fleet.worker_folder, completers, store=store) as cloud:
            cloud.full = full
            yield cloud

    def counts(self) -> Counter[str]:
        """Every counter of both sides: what their presences tell."""
        agent = {f"agent.{name}": count for name, count in self.device.counters.copy().items()}
        worker = {f"worker.{name}": count for name, count in self.worker.counters.copy().items()}
        return Counter(agent | worker)


@contextmanager
def attack_stage(folder: Path) -> Iterator[Stage]:
    """Everything runs, and is honest until a rule says otherwise."""
    fleet = make_fleet(folder / "fleet")
    device, model = Device(fleet.enroll(BOARD)), Model()
    neighbour = fleet.enroll("board-2")
    events: SimpleQueue[Event] = SimpleQueue()
    with ExitStack() as stack:
        stack.enter_context(_short_pauses())
        broker = stack.enter_context(running_broker(folder / "broker"))
        outside = Address(host=LOOPBACK, port=broker.port, client_id="outside")
        proxy = stack.enter_context(hostile(broker.port))
        stage = Stage(
            folder=folder,
            proxy=proxy,
            broker_port=broker.port,
            fleet=fleet,
            device=device,
            neighbour=neighbour,
            worker=stack.enter_context(
                running_worker(
                    fleet,
                    folder / "claims.db",
                    proxy.port,
                    completer=Instant("cloud 1", model.complete),
                )
            ),
            model=model,
            second_model=Model(),
            outside=stack.enter_context(Session(outside, subscriptions=[], sink=events.put)),
        )
        stack.enter_context(running_device(device, folder / "agent", proxy.port))
        stage.delivered(stage.ask())
        yield stage
        proxy.rule = honest


def until(condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Wait for something."""
    give_up_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up_s:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.005)


@contextmanager
def _short_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, pause_s in _SHORT:
            patch.setattr(module, name, pause_s)
        yield


def _nothing() -> None:
    """These inputs are kept nowhere."""


def _refused(error: Exception) -> None:
    raise AssertionError from error
