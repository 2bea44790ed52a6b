"""A fleet that releases packages, and one board whose agent is a process: real all the way."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agent.update.book import Book, Slots
from agent.update.slots import FILE, UPDATES
from broker.fleet.keys import enroll, init
from broker.fleet.mosquitto import LOOPBACK, RunningBroker, running_broker
from broker.fleet.releases.messages import messages
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.publish import block_messages
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.stock import Stock
from broker.fleet.root import open_root
from broker.package.golden import GOLDEN_FILE
from broker.wire.credentials import load_roster
from broker.wire.release import Choice, Needs, PackagePlan, Rollout, digest
from broker.wire.session import Address, Event, Received, Session
from broker.wire.topics import DeviceId, FleetId, PoolId, device_update
from broker.wire.update_report import Progress, open_report
from broker.wire.vouched import plan_path
from firstline.becoming import Orders
from firstline.bench.programs import Program
from firstline.publishing import publish

FLEET, POOL, DEVICE, GROUP = FleetId("home"), PoolId("main"), DeviceId("board-1"), "all"
PACKAGE = "commands-small"
QUESTION = "turn on the lights in the kitchen"
SHIPPED = Path(__file__).parents[1] / "firmware_configs" / "models"
WITHIN_S = 120.0
_POLL_S = 0.02
_SETTINGS = """\
[agent]
credentials = "keys"
names = []
[broker]
host = "{host}"
port = {port}
[models.commands]
package = "{package}"
timeout_s = 30.0
[[tasks]]
name = "home"
model = "commands"
domain = "home"
max_error = 1.0
patience_s = 0.5
input = {{ kind = "folder", path = "inbox" }}
output = {{ kind = "folder", path = "answers" }}
"""


def wait_for(what: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Wait until something holds."""
    give_up_s = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < give_up_s, "in vain"
        time.sleep(_POLL_S)


def version_of(to: Path, version: str, *, package: str = PACKAGE) -> Path:
    """A shipped package as another version of it."""
    folder = Path(shutil.copytree(SHIPPED / package, to / f"{package}-{version}"))
    golden = folder / GOLDEN_FILE
    slowly = {**json.loads(golden.read_bytes()), "ms": 10_000.0}  # machines are busy
    golden.write_text(json.dumps(slowly), encoding="utf-8")
    path = folder / "package.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('version = "1.0.0"', f'version = "{version}"'), encoding="utf-8")
    return folder


@dataclass
class Site:
    """Everything, in one folder."""

    folder: Path
    port: int
    agent: Program
    worker_folder: Path
    number: int = 0  # of the last rollout
    asked: int = 0

    @property
    def board(self) -> Path:
        """The board's folder."""
        return self.folder / "board"

    @property
    def slots(self) -> Slots:
        """What is noted on the board."""
        path = self.board / "state" / UPDATES / FILE
        book = Book.read(path.read_bytes()) if path.exists() else Book()
        return book.packages.get(PACKAGE, Slots())

    @property
    def book(self) -> Book:
        """All that is noted on the board."""
        return Book.read((self.board / "state" / UPDATES / FILE).read_bytes())

    def plan(self, package: Path, **needs: object) -> PackagePlan:
        """Take a package into stock."""
        version = package.name.rpartition("-")[2]
        needed = Needs(**{"engine": "onnxruntime", "ram_mb": 9, **needs})  # type: ignore[arg-type]
        head = Head(PACKAGE, version, "int8", needed)
        return plan(Stock(self.folder / "fleet"), package, head, told=lambda _: None)

    def release(self, *plans: PackagePlan, number: int = 1, **rules: float | str) -> str:
        """Vouch for plans, choose them for everybody; give the digest of the first."""
        repository, stock = Repository(self.folder / "fleet"), Stock(self.folder / "fleet")
        data = {plan_path(each): each.write() for each in plans}
        for each in data.values():
            stock.put(each)
        repository.vouch(data, passphrase=None, now_s=time.time())
        self.choose(*plans, number=number, **rules)
        return digest(plans[0].write())

    def choose(self, *plans: PackagePlan, number: int, **rules: float | str) -> None:
        """Have the group's boards run the first of these that fits."""
        self.number += 1
        usual = {"state": "running", "percent": 100.0, "watch_s": 1.0, "restarts": 3}
        rollout = Rollout(
            number=self.number,
            release=number,
            choices=tuple(
                Choice(path=plan_path(each), sha256=digest(each.write())) for each in plans
            ),
            salt="00" * 8,
            **(usual | rules),  # type: ignore[arg-type] # a test says what it means
        )
        repository = Repository(self.folder / "fleet")
        repository.choose(GROUP, PACKAGE, rollout, now_s=time.time())
        self.publish(plans)

    def publish(self, plans: tuple[PackagePlan, ...] = ()) -> None:
        """Bring everything to the broker."""
        repository, stock = Repository(self.folder / "fleet"), Stock(self.folder / "fleet")
        files = [each for made in plans for each in made.files]
        contents = {each.content.sha256 for each in files}
        contents |= {delta.patch.sha256 for each in files for delta in each.deltas}
        names = {name for sha256 in contents for name in stock.names(sha256)}
        names |= {digest(made.write()) for made in plans}
        publish(LOOPBACK, self.port, block_messages(stock, FLEET, sorted(names)))
        publish(LOOPBACK, self.port, messages(repository.shelf, FLEET))

    def ask(self, text: str = QUESTION) -> dict[str, object]:
        """Ask the board, and wait for its answer."""
        found = self.asking(text)
        wait_for(found)
        return found()

    def asking(self, text: str = QUESTION) -> Callable[[], dict[str, object]]:
        """Ask the board; the answer, or nothing yet."""
        self.asked += 1
        name = f"question-{self.asked:04}.txt"
        inbox = self.board / "inbox"
        inbox.mkdir(exist_ok=True)
        begun = inbox / f".{name}"
        begun.write_text(text, encoding="utf-8")
        os.utime(begun, (0, 0))  # a start passes over what somebody may still be writing
        begun.rename(inbox / name)
        return lambda: next((each for each in self.answers() if each["source"] == name), {})

    def answers(self) -> list[dict[str, object]]:
        """All that were given."""
        folder = self.board / "answers"
        paths = folder.glob("[!.]*.json") if folder.is_dir() else ()
        return [json.loads(path.read_bytes()) for path in paths]

    def runs(self, version: str) -> None:
        """Wait until a version answers."""
        wait_for(lambda: self.ask()["model"] == f"{PACKAGE} {version}")

    def said(self) -> str:
        """What the agent and its updaters logged."""
        return (self.folder / "agent.log").read_text(encoding="utf-8")

    def report(self) -> Progress | None:
        """What the board has told last."""
        topic, found = device_update(FLEET, DEVICE), []

        def sink(event: Event) -> None:
            if isinstance(event, Received):
                found.append(event.payload)

        address = Address(host=LOOPBACK, port=self.port, client_id="operator")
        with Session(address, subscriptions=[topic], sink=sink):
            give_up_s = time.monotonic() + 1.0
            while not found and time.monotonic() < give_up_s:
                time.sleep(_POLL_S)
        if not found:
            return None
        return open_report(found[-1], load_roster(self.worker_folder), DEVICE).of(PACKAGE)

    def reports(self, state: str) -> Progress:
        """Wait until the board tells of a state."""
        seen: list[Progress | None] = []

        def told() -> bool:
            seen.append(self.report())
            return seen[-1] is not None and seen[-1].state == state

        wait_for(told)
        assert seen[-1] is not None
        return seen[-1]


@contextmanager
def site(folder: Path, *, way: Callable[[int], int] = lambda port: port) -> Iterator[Site]:
    """A fleet, its broker, and a board that runs what the factory laid down.

    `way` gives the port under which the board reaches the broker's.
    """
    init(folder / "fleet", FLEET)
    made = enroll(folder / "fleet", DEVICE, POOL, now_s=time.time())
    Repository(folder / "fleet").begin(open_root(folder / "fleet"), now_s=time.time())
    with running_broker(folder / "broker") as broker:
        seen = replace(broker, port=way(broker.port))
        with_board(folder, made.device_folder, seen)
        orders = Orders(str(folder / "board" / "agent.toml"), verbose=1)
        agent = Program(folder / "agent.log", "firstline.resident", json.dumps(asdict(orders)))
        agent.start()
        try:
            yield Site(folder, broker.port, agent, made.worker_folder)
        finally:
            agent.kill()


def with_board(folder: Path, keys: Path, broker: RunningBroker) -> None:
    """Lay down a board's folder."""
    board = folder / "board"
    board.mkdir()
    shutil.copytree(keys, board / "keys")
    text = _SETTINGS.format(host=LOOPBACK, port=broker.port, package=PACKAGE)
    (board / "agent.toml").write_text(text, encoding="utf-8")
