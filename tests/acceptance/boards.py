"""Four boards whose agents are processes, and the operator who releases to them: all of it real."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event

from msgspec import structs

from agent.update import board as boards_own
from agent.update.slots import UPDATES
from broker.fleet.certificates import OPERATOR, RELEASES
from broker.fleet.keys import enroll, init
from broker.fleet.mosquitto import LOOPBACK, RunningBroker, running_broker
from broker.fleet.releases.courses import Course
from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.publish import block_messages, publish_metadata
from broker.fleet.releases.stock import Stock
from broker.fleet.releases.waves import Waves
from broker.package.golden import GOLDEN_FILE
from broker.wire.session import Address
from broker.wire.topics import DeviceId
from broker.wire.update_report import Progress
from firstline.becoming import Orders
from firstline.bench.programs import Program
from firstline.rolling.following import hear
from firstline.rolling.releasing import Order, Releasing, rollout_of
from firstline.rolling.steward import Steward
from firstline.rolling.waiting import wait_for
from tests.updates import FLEET, GROUP, POOL, version_of, with_board

NAMES = ("board-1", "board-2", "board-3", "board-4")  # with this salt two are in the first quarter
SALT = "00" * 8
WITHIN_S = 150.0
_FAST, _SLOW = 1000.0, 10.0


def until(done: Callable[[], object]) -> None:
    """Wait until something is so."""
    give_up_s = time.monotonic() + WITHIN_S
    while not done():
        if time.monotonic() > give_up_s:
            raise TimeoutError("it did not happen")
        time.sleep(0.05)


@dataclass
class Waiting:
    """An operator who waits for a release."""

    ended: Future[Course]
    steward: Steward


@dataclass
class Fleet:
    """Everything, in one folder."""

    folder: Path
    broker: RunningBroker
    agents: dict[str, Program] = field(default_factory=dict)

    @property
    def operators(self) -> Path:
        """The operator's folder."""
        return self.folder / "fleet"

    def address(self, name: str = OPERATOR) -> Address:
        """The operator's, or the server's."""
        return Address(host=LOOPBACK, port=self.broker.port, client_id=name)

    def steward(self) -> Steward:
        """As a command makes it."""
        return Steward(self.operators, who="eve@desk")

    def package(self, version: str, name: str) -> Path:
        """A version of the package that the boards have, which may take its time to answer."""
        folder = version_of(self.folder, version).rename(self.folder / name)
        _edit(folder, ms=10_000.0)
        return folder

    def release(
        self, packages: tuple[Path, ...], waves: Waves, **needs: dict[str, float]
    ) -> Course:
        """Have the first wave take it, as soon as it is at the broker."""
        releasing = Releasing(
            self.operators, passphrase=lambda: None, told=lambda _: None, now_s=time.time()
        )
        vouched = releasing.vouch(Order(packages=packages, needs=needs))
        rollout = structs.replace(rollout_of(vouched, {"watch_s": 0.5}), salt=SALT)
        draft = Course(
            group=GROUP,
            package=vouched.package,
            version=vouched.version,
            rollout=rollout,
            waves=waves,
            began_s=0.0,
        )
        return self.steward().rollouts.begin(draft, now_s=time.time())

    def publish_without_files(self, course: Course) -> None:
        """Bring what is signed to the broker, and plans; boards then ask for files in vain."""
        releases, plans = self.steward().releases, [each.sha256 for each in course.rollout.choices]
        with Outlet(self.address()) as outlet:
            stock = Stock(self.operators)
            outlet.publish(block_messages(stock, FLEET, plans), lambda _message: None)
            publish_metadata(outlet, releases)

    def said(self, course: Course) -> dict[str, Progress | None]:
        """What each board says of a release."""
        steward = self.steward()
        hear(steward, self.address(), wait_s=1.0)
        return {each.device: each.progress for each in steward.boards(course)}

    @contextmanager
    def waiting(self, course: Course) -> Iterator[Waiting]:
        """Serve, and wait for a release."""
        steward, stop = self.steward(), Event()
        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(
                wait_for, steward, course, lambda: self.address(RELEASES), stopped=stop.is_set
            )
            try:
                yield Waiting(ended, steward)
            finally:
                stop.set()


@contextmanager
def fleet_of(folder: Path) -> Iterator[Fleet]:
    """A fleet of four boards that run what the factory laid down; the last one is slow."""
    init(folder / "fleet", FLEET)
    with running_broker(folder / "broker") as broker, ExitStack() as last:
        fleet = Fleet(folder, broker)
        for name in NAMES:
            made = enroll(folder / "fleet", DeviceId(name), POOL, now_s=time.time())
            home = folder / name
            home.mkdir()
            with_board(home, made.device_folder, broker)
            _measured(home / "board" / "state" / UPDATES, _SLOW if name == NAMES[-1] else _FAST)
            orders = Orders(str(home / "board" / "agent.toml"), verbose=1)
            words = json.dumps(asdict(orders))
            agent = Program(home / "agent.log", "firstline.resident", words)
            agent.start()
            last.callback(agent.kill)
            fleet.agents[name] = agent
        yield fleet


def spoilt(package: Path) -> Path:
    """Have a package answer otherwise than it says that it answered where it was released."""
    cases = json.loads((package / GOLDEN_FILE).read_bytes())["cases"]
    _edit(package, cases=[case | {"answer": "something else"} for case in cases])
    return package


def _edit(package: Path, **changes: object) -> None:
    path = package / GOLDEN_FILE
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def _measured(folder: Path, mb_per_s: float) -> None:
    """What a board would have measured of itself."""
    folder.mkdir(parents=True, mode=0o700)
    speed = {"machine": boards_own._machine(), "compute": mb_per_s, "memory": mb_per_s}
    (folder / boards_own._SPEED).write_text(json.dumps(speed))
