"""A fleet with signed releases, and a board that looks at them over a real broker."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from agent.update.cache import Cache
from agent.update.date import Date
from agent.update.fetcher import MqttFetcher
from agent.update.floor import Floor
from agent.update.line import Line
from agent.update.trust import Trust
from broker.fleet.keys import init
from broker.fleet.mosquitto import LOOPBACK, RunningBroker
from broker.fleet.releases.messages import messages
from broker.fleet.releases.repository import Repository
from broker.fleet.root import Root, open_root, read_public
from broker.wire.release import Choice, Content, FilePlan, Needs, PackagePlan, Rollout, digest
from broker.wire.session import Address, Message
from broker.wire.topics import FleetId, release_block
from broker.wire.vouched import plan_path
from firstline.publishing import publish

FLEET = FleetId("home")
GROUP, PACKAGE = "all", "lights"
DAY_S = 86_400.0
NOW_S = 1_900_000_000.0  # of operators and boards in these tests: none of them looks at the clock
SALT = "00" * 8
# Where files are fast, if there is such a place: some tests write thousands of times.
MEMORY = next((each for each in ("/dev/shm",) if Path(each).is_dir()), None)  # noqa: S108


def a_plan(version: str = "1.0.0", *, groups: tuple[str, ...] = ()) -> PackagePlan:
    """A plan of one file, which nobody ever downloads here."""
    content = Content(length=1, sha256=digest(version.encode()), lists=(digest(b"list"),))
    return PackagePlan(
        package=PACKAGE,
        version=version,
        variant="q8",
        needs=Needs(engine="onnxruntime"),
        files=(FilePlan(name="model.onnx", content=content),),
        groups=groups,
    )


def a_choice(plan: PackagePlan) -> Choice:
    """The choice of a plan."""
    return Choice(path=plan_path(plan), sha256=digest(plan.write()))


def a_rollout(number: int, *plans: PackagePlan) -> Rollout:
    """A rollout of plans to everybody."""
    choices = tuple(a_choice(plan) for plan in plans)
    return Rollout(number=number, choices=choices, state="running", salt=SALT, percent=100.0)


@dataclass
class Operator:
    """The operator of a fleet with releases."""

    folder: Path
    port: int
    now_s: float = NOW_S
    blocks: dict[str, bytes] = field(default_factory=dict)

    @property
    def root(self) -> Root:
        """The fleet, opened."""
        return open_root(self.folder)

    @property
    def repository(self) -> Repository:
        """Its signed metadata."""
        return Repository(self.folder)

    def release(self, *plans: PackagePlan) -> None:
        """Vouch for plans, and bring all of it to the broker."""
        data = {plan_path(plan): plan.write() for plan in plans}
        self.blocks |= {digest(each): each for each in data.values()}
        self.repository.vouch(data, passphrase=None, now_s=self.now_s)
        self.publish()

    def roll_out(self, rollout: Rollout, group: str = GROUP) -> None:
        """Have a group run something, and bring all of it to the broker."""
        self.repository.choose(group, PACKAGE, rollout, now_s=self.now_s)
        self.publish()

    def messages(self) -> list[Message]:
        """What the broker shall hold."""
        blocks = (
            Message(release_block(FLEET, name), data, retain=True)
            for name, data in self.blocks.items()
        )
        return [*blocks, *messages(self.repository.shelf, FLEET)]

    def publish(self) -> None:
        """Bring what is signed to the broker."""
        publish(LOOPBACK, self.port, self.messages())


def make_repository(folder: Path) -> Repository:
    """A fleet that has releases, and vouches for nothing yet."""
    shutil.copytree(_template(), folder)
    return Repository(folder)


@cache
def _template() -> Path:
    """Made once for all tests: its keys wait dozens of times for the disk."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return make_strange_repository(folder / "fleet").fleet


def make_strange_repository(folder: Path) -> Repository:
    """A fleet of the same name, with keys of its own."""
    init(folder, FLEET)
    repository = Repository(folder)
    repository.begin(open_root(folder), now_s=NOW_S)
    return repository


def make_operator(folder: Path, broker: RunningBroker) -> Operator:
    """Make a fleet that has releases, and vouch for nothing yet."""
    make_repository(folder)
    operator = Operator(folder, broker.port)
    operator.publish()
    return operator


@dataclass
class Board:
    """A board's state, and its ideas of the time."""

    state: Path
    fleet: Path
    clock_s: float = NOW_S
    offset_s: float = 0.0
    made_s: float = NOW_S - 10 * DAY_S
    patience_s: float = 20.0
    grace_s: float = 0.3
    key: bytes = field(default_factory=lambda: os.urandom(32))

    @contextmanager
    def trusting(self, line: Line, fleet: FleetId = FLEET) -> Iterator[Trust]:
        """One look at what is signed."""
        fetcher = MqttFetcher(line, fleet, patience_s=self.patience_s, grace_s=self.grace_s)
        with Trust(
            cache=Cache(self.state / "updates" / "tuf"),
            root=read_public(self.fleet),
            fetcher=fetcher,
            floor=Floor(self.state / "update-floor", self.key),
            date=Date(self.made_s, lambda: self.clock_s, self.offset_s),
        ) as trust:
            yield trust


def make_board(state: Path, operator: Operator) -> Board:
    """A board that has the fleet's root key and never heard of a release."""
    state.mkdir(parents=True)
    return Board(state, operator.folder)


def address_of(broker: RunningBroker, name: str) -> Address:
    """Somebody's connection to the broker."""
    return Address(host=LOOPBACK, port=broker.port, client_id=name)
