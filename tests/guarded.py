"""A fleet with TLS and access rules, and connections of its members, for tests on a real broker."""

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue

from broker.fleet import authority, keys
from broker.fleet.access import Role
from broker.fleet.authority import open_authority
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.private import make_private
from broker.wire.session import (
    Acknowledged,
    Address,
    Event,
    Message,
    Offline,
    Online,
    Received,
    Session,
    SubscriptionRefused,
)
from broker.wire.tls import TlsFiles, Unproven
from broker.wire.topics import DeviceId, FleetId, PoolId, WorkerId

FLEET, POOL = FleetId("home"), PoolId("main")
OTHER_POOL = PoolId("other")
DEVICES = (DeviceId("board-1"), DeviceId("board-2"), DeviceId("board-3"))
WORKER = WorkerId("1")
PATIENCE_S = 60.0


@dataclass(frozen=True)
class GuardedFleet:
    """The operator's folder, and where the TLS files of each member lie."""

    folder: Path

    def files(self, name: str) -> TlsFiles:
        """Those of a member; made if need be, as for somebody whom the broker does not know."""
        for kind in ("devices", "workers"):
            found = self.folder / kind / name.removesuffix(".1")
            if found.exists():
                return TlsFiles.of(found)
        stranger = self.folder / name.removeprefix(".")
        if not stranger.exists():
            make_private(stranger)
            now_s = time.time()
            authority.write_client(open_authority(self.folder), stranger, name, now_s=now_s)
        return TlsFiles.of(stranger)


def make_guarded_fleet(folder: Path) -> GuardedFleet:
    """The fleet of these tests, with three devices, two pools, and a worker in each."""
    shutil.copytree(_template(), folder)
    return GuardedFleet(folder)


def make_strange_fleet(folder: Path) -> GuardedFleet:
    """Another fleet of the same names, with keys of its own."""
    keys.init(folder, FLEET)
    for device, pool in zip(DEVICES, (POOL, POOL, OTHER_POOL), strict=True):
        keys.enroll(folder, device, pool, now_s=time.time())
    return GuardedFleet(folder)


@cache
def _template() -> Path:
    """Made once for all tests: its keys wait 130 times for the disk."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return make_strange_fleet(folder / "fleet").folder


@dataclass
class Link:
    """One connection, and what happened on it."""

    session: Session
    events: SimpleQueue[Event]
    happened: list[Event] = field(default_factory=list)
    _codes: dict[int, int] = field(default_factory=dict)

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> int:
        """Publish; the broker's reason code."""
        mid = self.session.publish(Message(topic, payload, retain=retain))
        self.wait(lambda: mid in self._codes)
        return self._codes.pop(mid)

    def refused(self) -> set[str]:
        """The subscriptions that the broker refused."""
        return {e.subscription for e in self.happened if isinstance(e, SubscriptionRefused)}

    def heard(self) -> list[str]:
        """The topics of what came."""
        return [event.topic for event in self.happened if isinstance(event, Received)]

    def offline(self) -> list[str]:
        """Why the connection was not there."""
        return [event.reason for event in self.happened if isinstance(event, Offline)]

    def online(self) -> int:
        """How often it came to be."""
        return sum(isinstance(event, Online) for event in self.happened)

    def wait(self, until: Callable[[], bool]) -> None:
        """Take events until something is so."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not until():
            if time.monotonic() > give_up_s:
                raise TimeoutError(f"it did not happen: {self.happened}")
            self.take(0.05)

    def take(self, wait_s: float) -> None:
        """Take one event, if one comes."""
        try:
            event = self.events.get(timeout=wait_s)
        except Empty:
            return
        self.happened.append(event)
        if isinstance(event, Acknowledged):
            self._codes[event.mid] = event.code
        elif isinstance(event, Received):
            self.session.ack(event.receipt)


@contextmanager
def linked(
    address: Address, subscriptions: tuple[str, ...] = (), will: Message | None = None
) -> Iterator[Link]:
    """A connection that is there, or says why it is not."""
    events: SimpleQueue[Event] = SimpleQueue()
    with Session(address, subscriptions=subscriptions, sink=events.put, will=will) as session:
        link = Link(session, events)
        link.wait(lambda: bool(link.happened))
        yield link


def member(fleet: GuardedFleet, broker: RunningBroker, name: str) -> Address:
    """The address of a member of the fleet."""
    return Address(host=broker.host, port=broker.port, client_id=name, tls=fleet.files(name))


def joining(broker: RunningBroker, role: Role, password: str) -> Address:
    """The address of a board that has an invitation."""
    return Address(
        host=broker.host,
        port=broker.join_port,
        client_id=role.name,
        tls=Unproven(),
        user=role.name,
        password=password,
    )
