"""A fleet whose boards say, signed, what becomes of a release; no board of them has a model."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.certificates import OPERATOR, RELEASES
from broker.fleet.mosquitto import LOOPBACK, RunningBroker
from broker.fleet.releases.courses import Course
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.stock import Stock
from broker.fleet.releases.waves import Waves
from broker.wire import topics
from broker.wire.release import Needs, PackagePlan
from broker.wire.roster import Enrolled, Roster
from broker.wire.session import Address, Message
from broker.wire.topics import DeviceId
from broker.wire.update_report import Progress, State, UpdateReport, seal_report
from firstline.publishing import publish
from firstline.rolling.steward import Steward
from tests.releases import FLEET, GROUP, PACKAGE, Operator, a_rollout, make_operator

NAMES = tuple(f"board-{number}" for number in range(1, 5))
PATIENCE_S = 60.0


@dataclass
class Fleet:
    """The operator's folder, the broker, and the keys of the boards."""

    operator: Operator
    keys: dict[str, Ed25519PrivateKey]
    first: PackagePlan
    second: PackagePlan
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.operator.folder

    @property
    def place(self) -> str:
        return f"{LOOPBACK}:{self.operator.port}"

    @property
    def address(self) -> Address:
        """The operator's, for a moment."""
        return Address(host=LOOPBACK, port=self.operator.port, client_id=OPERATOR)

    def server(self) -> Address:
        """Who serves, for long."""
        return Address(host=LOOPBACK, port=self.operator.port, client_id=RELEASES)

    def steward(self) -> Steward:
        """The operator's side, as a command makes it."""
        return Steward(self.folder, who="eve@desk", now_s=lambda: self.operator.now_s)

    def report(self, name: str, course: Course, state: State, **more: str) -> Message:
        """What a board says next of a release."""
        count = self.counts[name] = self.counts.get(name, 0) + 1
        digest = course.rollout.choices[0].sha256
        progress = Progress(
            package=course.package,
            state=state,
            group=course.group,
            release=course.rollout.release,
            digest=digest,
            running=digest if state == "done" else "",
            reason=more.get("reason", ""),
        )
        told = UpdateReport(
            fleet=FLEET, device=name, session=1, count=count, groups=(GROUP,), packages=(progress,)
        )
        key = self.keys[more.get("key", name)]
        topic = topics.device_update(FLEET, DeviceId(name))
        return Message(topic, seal_report(told, key), retain=True)

    def say(self, *messages: Message) -> None:
        """Bring what boards say to the broker."""
        publish(LOOPBACK, self.operator.port, messages)


def make_fleet(folder: Path, broker: RunningBroker) -> Fleet:
    """A fleet of four boards, and an operator who vouches for two plans."""
    operator = make_operator(folder, broker)
    keys = {name: Ed25519PrivateKey.generate() for name in NAMES}
    devices = {
        name: Enrolled(keys=(key.public_key().public_bytes_raw().hex(),))
        for name, key in keys.items()
    }
    operator.root.write_roster(Roster(fleet=FLEET, version=2, devices=devices))
    first, second = _planned(folder, "1.0.0"), _planned(folder, "1.1.0")
    operator.release(first, second)
    return Fleet(operator, keys, first, second)


def _planned(fleet: Path, version: str) -> PackagePlan:
    """A package of one small file, in the operator's stock."""
    folder = fleet.parent / f"package-{version}"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(version.encode())
    stock = Stock(fleet)
    head = Head(PACKAGE, version, "q8", Needs(engine="onnxruntime"))
    made = plan(stock, folder, head, told=lambda _words: None)
    stock.put(made.write())
    return made


def draft(released: PackagePlan, *, percents: tuple[float, ...] = (50.0, 100.0)) -> Course:
    """What a release begins with; its waves follow as fast as boards are done."""
    waves = Waves(percents=percents, wait_s=0.0, success=1.0, patience_s=3600.0)
    return Course(
        group=GROUP,
        package=PACKAGE,
        version=released.version,
        rollout=a_rollout(1, released),
        waves=waves,
        began_s=0.0,
    )


def until(done: Callable[[], bool]) -> None:
    """Wait until something is so."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > give_up_s:
            raise TimeoutError("it did not happen")
        time.sleep(0.05)
