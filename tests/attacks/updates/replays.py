"""Old releases brought back: to boards that know better, and to boards that forgot."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from agent.update.errors import ExpiredError, NotHeardError, UpdateError
from broker.fleet.releases.rotation import rotate
from tests.attacks.updates.attack import UpdateAttack, recovered, refused
from tests.attacks.updates.forge import shelf_of, zero
from tests.attacks.updates.scene import NEW, NEW_S, NEWEST, OLD_S, Scene, Taken, chosen
from tests.line import PATIENCE_S
from tests.releases import DAY_S, GROUP, PACKAGE

Harm = Callable[[Path], object]  # to the board's state
METADATA = Path("updates/tuf")
LEAST_STEPS = 10
FLOORS = (Path("update-floor.a"), Path("update-floor.b"))
_OLDER = r"after|must be >=|Expected .* version"


def _replay(scene: Scene, harm: Harm = Path.exists, *, clock_s: float = OLD_S) -> str:
    """Bring back yesterday's release, and one of 60 days ago with a clock that is as slow."""
    harm(scene.board.state)
    scene.retain(scene.past.recent)
    happened = refused(scene, _OLDER)
    harm(scene.board.state)
    scene.board.clock_s = clock_s
    scene.retain(scene.past.old)
    refused(scene, f"{_OLDER}|expired", UpdateError)
    return recovered(scene, happened)


def _lost(*names: Path) -> Harm:
    def harm(state: Path) -> None:
        for name in names:
            path = state / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return harm


def _zeroed(*names: str) -> Harm:
    def harm(state: Path) -> None:
        for name in names:
            for path in state.glob(name):
                zero(path)

    return harm


def _each_zeroed(scene: Scene) -> str:
    """Every single file of the state, one after the other."""
    scene.retain(scene.past.recent)
    files = [path for path in scene.board.state.rglob("*") if path.is_file()]
    for path in files:
        kept = path.read_bytes()
        zero(path)
        refused(scene, _OLDER)
        path.write_bytes(kept)
    return recovered(scene, f"refused, whichever of {len(files)} files was lost")


def _killed(scene: Scene) -> str:
    """A look at something newer, ended before each of its durable steps."""
    folder = scene.folder / "cuts"
    (folder / "files").mkdir(parents=True)
    for name in ("fleet", "state"):
        (folder / name).symlink_to(scene.folder / name)
    scene.repository.choose(GROUP, PACKAGE, chosen(3, NEW), now_s=NEW_S)
    for name, data in {**scene.files(), **scene.past.blocks}.items():
        (folder / "files" / name).write_bytes(data)
    program = [sys.executable, "-m", "tests.attacks.updates.cuts", str(folder)]
    steps = int(subprocess.run(program, check=True, capture_output=True).stdout)
    for number in range(1, steps + 1):
        scene.board.state = folder / f"cut-{number}"
        scene.retain(scene.past.recent)
        refused(scene, _OLDER)
        scene.restore()
        assert scene.look() == Taken(chosen(3, NEW), NEW), "it does not recover"
    assert steps >= LEAST_STEPS, f"{steps} steps"
    return f"refused, whichever of {steps} durable steps was the last"


def _old_copy(scene: Scene) -> str:
    """A copy of the floor from a backup of 60 days ago, and no metadata."""

    def harm(state: Path) -> None:
        shutil.rmtree(state / METADATA, ignore_errors=True)
        shutil.copy(scene.past.old_state / FLOORS[0], state / FLOORS[0])

    return _replay(scene, harm)


def _anothers_floor(scene: Scene) -> str:
    """Copies of the floor that another board has sealed, and no metadata."""

    def harm(state: Path) -> None:
        data = (state / FLOORS[0]).read_bytes()
        (state / FLOORS[0]).write_bytes(bytes(32) + data[32:])
        shutil.rmtree(state / METADATA, ignore_errors=True)

    return _replay(scene, harm)


def _frozen(scene: Scene) -> str:
    """Nothing new comes for a month."""
    scene.board.clock_s = NEW_S + 30 * DAY_S
    return refused(scene, "expired", ExpiredError)


def _frozen_and_slow(scene: Scene) -> str:
    """A new board gets what was signed 60 days ago; its clock is as slow, its keys are of now."""
    shutil.rmtree(scene.board.state)
    scene.board.state.mkdir()
    scene.board.clock_s, scene.board.made_s = OLD_S, NEW_S - DAY_S
    scene.retain(scene.past.old)
    return recovered(scene, refused(scene, "expired", ExpiredError))


def _ahead(scene: Scene) -> str:
    """A clock that is 400 days ahead, until a worker tells the date."""
    scene.board.clock_s = NEW_S + 400 * DAY_S
    happened = refused(scene, "expired", ExpiredError)
    scene.board.offset_s = -400 * DAY_S
    assert scene.look() == NEWEST, "the worker's date does not help"
    return f"{happened}; taken once a worker told the date"


def _at_the_beginning(scene: Scene) -> str:
    """A board without a battery: what is signed tells it the time."""
    happened = _replay(scene, clock_s=0.0)
    scene.board.clock_s = 0.0
    assert scene.look() == NEWEST
    return happened


def _worker_lies(scene: Scene) -> str:
    """A worker that was taken over sets the board's idea of the time back by 60 days."""
    scene.board.offset_s = -60 * DAY_S
    return _replay(scene, clock_s=NEW_S)


def _withheld(scene: Scene, name: str) -> str:
    """A new release, of which one file never comes."""
    scene.board.patience_s = 0.4
    scene.repository.refresh(now_s=NEW_S)
    scene.retain(scene.files())
    version = shelf_of(scene).snapshot().signed.version
    scene.broker.take_away(name.format(version))
    happened = refused(scene, "nothing came", NotHeardError)
    scene.board.patience_s = PATIENCE_S
    return recovered(scene, happened)


def _root_withheld(scene: Scene) -> str:
    """Other keys sign from now on; the board is kept from hearing of them."""
    rotate(scene.repository, "timestamp", passphrase=None, now_s=NEW_S)
    scene.retain(scene.files())
    scene.broker.take_away("2.root.json")
    return recovered(scene, refused(scene, "signed by 0/1 keys"))


def _row(name: str, tried: str, harm: Harm = Path.exists) -> UpdateAttack:
    return UpdateAttack(f"old release {name}", tried, partial(_replay, harm=harm))


REPLAYS = (
    _row("brought back", "what was signed yesterday, and long ago"),
    _row("and the metadata is lost", "... to a board that lost its folder", _lost(METADATA)),
    _row("and the metadata is zeroed", "... after a torn write", _zeroed("updates/tuf/*.json")),
    _row("and floor a is lost", "... and one copy of the floor too", _lost(METADATA, FLOORS[0])),
    _row("and floor b is lost", "... or the other one", _lost(METADATA, FLOORS[1])),
    _row(
        "and floor a is zeroed",
        "... after a torn write of the floor",
        lambda state: (_lost(METADATA)(state), _zeroed("update-floor.a")(state)),
    ),
    _row(
        "and floor b is zeroed",
        "... of the other copy",
        lambda state: (_lost(METADATA)(state), _zeroed("update-floor.b")(state)),
    ),
    _row("and both floors are lost", "... while the metadata is there", _lost(*FLOORS)),
    UpdateAttack("old floor brought back", "one copy from a backup, no metadata", _old_copy),
    UpdateAttack("floor that is not sealed", "one copy under another seal", _anothers_floor),
    UpdateAttack("each file of the state zeroed", "one after the other", _each_zeroed),
    UpdateAttack("killed at every write", "and yesterday's release brought back", _killed),
    UpdateAttack("clock back 60 days", "signs nothing, sets the clock back", _replay),
    UpdateAttack("clock at 1970", "a board without a battery starts", _at_the_beginning),
    UpdateAttack("clock ahead 400 days", "the board's clock is set forward", _ahead),
    UpdateAttack("worker's date a lie", "a worker says that it is 60 days ago", _worker_lies),
    UpdateAttack("release frozen", "keeps everything new away for a month", _frozen),
    UpdateAttack("release frozen, new board", "its clock is 60 days slow too", _frozen_and_slow),
    UpdateAttack("new root withheld", "keeps the news of other keys away", _root_withheld),
    UpdateAttack(
        "timestamp withheld", "takes it from the broker", partial(_withheld, name="timestamp.json")
    ),
    UpdateAttack(
        "snapshot withheld",
        "takes the new one from the broker",
        partial(_withheld, name="{}.snapshot.json"),
    ),
)
