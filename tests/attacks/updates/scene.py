"""A fleet with a history of releases, a board that took the newest, and a hostile broker.

    60 days ago   lights 1.0.0, rollout 1     the board took it
    yesterday     the same, signed anew
    now           lights 2.0.0, rollout 2     the board took it

The broker is a real mosquitto, and the attacker retains there whatever it likes. Each attack has a
fleet, topics and a board of its own; no clock is looked at but the board's, which is set.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.fleet.mosquitto import running_broker
from broker.fleet.releases.repository import Repository
from broker.wire.release import PackagePlan, Rollout, digest
from broker.wire.topics import FleetId
from broker.wire.vouched import plan_path
from tests.line import NotedLine, noted_line
from tests.releases import (
    DAY_S,
    GROUP,
    NOW_S,
    PACKAGE,
    Board,
    a_choice,
    a_plan,
    a_rollout,
    address_of,
    make_repository,
)
from tests.retained import Files, Publisher, Retained, publishing

OLD_S = NOW_S
NEW_S = OLD_S + 60 * DAY_S
YESTERDAY_S = NEW_S - DAY_S
OLD, NEW = a_plan("1.0.0"), a_plan("2.0.0")
GRACE_S = 0.05  # mosquitto keeps the order


@dataclass(frozen=True, slots=True)
class Taken:
    """What a board would install."""

    rollout: Rollout | None
    plan: PackagePlan | None


NEWEST = Taken(a_rollout(2, NEW), NEW)


@dataclass
class Past:
    """How a fleet and a board came to be where they are. Made once."""

    fleet: Path
    state: Path
    key: bytes
    old: Files  # metadata of 60 days ago
    recent: Files  # of yesterday: not expired
    old_state: Path  # the board's, as it was then
    blocks: Files  # by digest


@dataclass
class Scene:
    """What one attack has to work with."""

    past: Past
    name: FleetId
    folder: Path
    board: Board
    line: NotedLine
    broker: Retained

    @property
    def repository(self) -> Repository:
        """The operator's, for what is done with its keys."""
        return Repository(self.folder / "fleet")

    def files(self) -> Files:
        """Metadata as the operator has it now."""
        shelf = self.repository.shelf
        return {name: shelf.data(name) for name in shelf.current()}

    def retain(self, files: Files) -> None:
        """Have the broker hold files of metadata."""
        self.broker.put(files)

    def restore(self) -> None:
        """Have the broker hold what the operator has, and nothing else of metadata."""
        true = self.files()
        self.broker.take_away(*(self.broker.names - true.keys()))
        self.broker.put(true)
        self.broker.put_blocks(self.past.blocks)

    def look(self, group: str = GROUP) -> Taken:
        """Have the board look at what is signed, as it does before it installs anything.

        Raises:
            UpdateError: it takes none of it.
        """
        with self.board.trusting(self.line, self.name) as trust:
            trust.refresh()
            rollout = trust.rollout(group, PACKAGE)
            if rollout is None:
                return Taken(None, None)
            plan = trust.plan(rollout.choices[0], group=group, package=PACKAGE)
            return Taken(rollout, plan)


@dataclass
class UpdateStage:
    """All scenes share a broker and two connections."""

    folder: Path
    past: Past
    line: NotedLine
    publisher: Publisher
    scenes: int = 0

    def scene(self) -> Scene:
        """A fleet and a board with their past, and the newest of it at the broker."""
        self.scenes += 1
        folder = self.folder / f"{self.scenes}"
        shutil.copytree(self.past.fleet, folder / "fleet")
        shutil.copytree(self.past.state, folder / "state")
        board = _board(folder / "state", folder / "fleet", self.past.key)
        name = FleetId(f"home-{self.scenes}")
        broker = Retained(self.publisher, name)
        scene = Scene(self.past, name, folder, board, self.line, broker)
        scene.restore()
        return scene


@contextmanager
def update_stage(folder: Path) -> Iterator[UpdateStage]:
    """A broker, and the past of everybody."""
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(folder / "broker"))
        publisher = stack.enter_context(publishing(address_of(broker, "attacker")))
        line = stack.enter_context(noted_line(address_of(broker, "board-1")))
        yield UpdateStage(folder, _past(folder / "past", line, publisher), line, publisher)


def _past(folder: Path, line: NotedLine, publisher: Publisher) -> Past:
    repository = make_repository(folder / "fleet")
    (folder / "state").mkdir()
    board = _board(folder / "state", folder / "fleet", bytes(range(32)))
    blocks = {digest(plan.write()): plan.write() for plan in (OLD, NEW)}
    past = Past(folder / "fleet", folder / "state", board.key, {}, {}, folder / "old-state", blocks)
    name = FleetId("home")
    scene = Scene(past, name, folder, board, line, Retained(publisher, name))
    scene.broker.put_blocks(blocks)
    past.old = _taken(scene, 1, OLD, OLD_S)
    shutil.copytree(folder / "state", past.old_state)
    repository.refresh(now_s=YESTERDAY_S)
    past.recent = scene.files()
    _taken(scene, 2, NEW, NEW_S)
    return past


def _taken(scene: Scene, number: int, plan: PackagePlan, when_s: float) -> Files:
    """Have the operator release something and the board take it; return the metadata."""
    repository = scene.repository
    repository.vouch({plan_path(plan): plan.write()}, passphrase=None, now_s=when_s)
    repository.choose(GROUP, PACKAGE, a_rollout(number, plan), now_s=when_s)
    scene.board.clock_s = when_s
    scene.retain(scene.files())
    assert scene.look() == Taken(a_rollout(number, plan), plan)
    return scene.files()


def _board(state: Path, fleet: Path, key: bytes) -> Board:
    return Board(state, fleet, clock_s=NEW_S, made_s=OLD_S - 10 * DAY_S, grace_s=GRACE_S, key=key)


def chosen(number: int, plan: PackagePlan) -> Rollout:
    """A rollout of one plan."""
    return Rollout(
        number=number, choices=(a_choice(plan),), state="running", salt="00" * 8, percent=100.0
    )
