"""What nobody signed who may: strangers' keys, too few of them, other fleets, pieces mixed."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from agent.update.errors import ExpiredError, RefusedError
from broker.fleet.releases.keys import make_key, open_key
from broker.fleet.releases.metadata import dump, renewed
from broker.fleet.releases.rotation import adopt, share
from broker.fleet.releases.signing import sign_file
from broker.fleet.root import open_root
from broker.wire.signed import sign as sign_document
from broker.wire.vouched import ROLLOUT, ROOT_LABEL, plan_path
from tests.attacks.updates.attack import UpdateAttack, recovered, refused
from tests.attacks.updates.forge import (
    by_stranger,
    flipped,
    pinned,
    shelf_of,
    with_root,
    with_targets,
)
from tests.attacks.updates.scene import NEW_S, NEWEST, Scene
from tests.releases import DAY_S, a_plan, make_strange_repository
from tests.retained import Files

Forge = Callable[[Scene], Files]
EVIL = a_plan("6.6.6")


def retained(scene: Scene, forge: Forge, why: str, kind: type[RefusedError] = RefusedError) -> str:
    """Have the broker hold files that are forged; the board refuses them, and recovers."""
    scene.retain(forge(scene))
    return recovered(scene, refused(scene, why, kind))


def _evil(targets: Metadata[Targets]) -> None:
    """Vouch for what the operator never made."""
    path, data = plan_path(EVIL), EVIL.write()
    targets.signed.targets[path] = TargetFile.from_data(path, data, ["sha256"])


def _strange_timestamp(scene: Scene) -> Files:
    timestamp = shelf_of(scene).timestamp()
    timestamp.signed.version += 1
    return {"timestamp.json": by_stranger(timestamp)}


def _strange_targets(scene: Scene) -> Files:
    targets = renewed(shelf_of(scene).targets(), Targets.type, now_s=NEW_S)
    _evil(targets)
    return pinned(scene, targets=(targets.signed.version, by_stranger(targets)))


def _flipped(scene: Scene, name: str) -> Files:
    """One bit of what is new; hashes would tell of older files."""
    if name == "timestamp.json":
        return {name: flipped(shelf_of(scene).data(name))}
    _new_version(scene)
    files = scene.files()
    found = next(each for each in files if each.endswith(name))
    return {**files, found: flipped(files[found])}


def _new_version(scene: Scene) -> None:
    """Have the operator change everything once."""
    scene.repository.vouch({}, passphrase=None, now_s=NEW_S)


def _mixed(scene: Scene, name: str) -> Files:
    """A new timestamp that leads to what was published 60 days ago, under the new name."""
    _new_version(scene)
    files = scene.files()
    found = next(each for each in files if each.endswith(name))
    old = next(data for each, data in scene.past.old.items() if each.endswith(name))
    return {**files, found: old}


def _another_fleets(scene: Scene) -> Files:
    shelf = make_strange_repository(scene.folder / "stranger").shelf
    strangers = {name: shelf.data(name) for name in shelf.current()}
    return {name: data for name, data in strangers.items() if name != "root.signed"}


def _below_threshold(scene: Scene) -> str:
    """Two of three people must sign; one does, twice."""
    repository, folder = scene.repository, scene.folder / "people"
    people = [make_key(folder, name) for name in ("anna", "ben", "cleo")]
    paths = sorted(folder.iterdir())
    step = share(repository, "targets", people, 2, passphrase=None, now_s=NEW_S)
    assert step.draft is not None
    root = step.draft.with_name("2.root.json").read_bytes()
    targets: Metadata[Targets] = Metadata.from_file(str(step.draft))
    for _ in range(2):
        targets.sign(open_key(paths[0]), append=True)
    number = targets.signed.version
    scene.retain({"2.root.json": root, **pinned(scene, targets=(number, dump(targets)))})
    happened = refused(scene, _UNSIGNED)
    for path in paths[:2]:
        sign_file(step.draft, path)
    adopt(repository, step.draft, now_s=NEW_S)
    return recovered(scene, happened)


def _new_board(scene: Scene, wrapped: bytes) -> str:
    """A board that is new gets another first root."""
    scene.board.state = scene.folder / "new"
    scene.board.state.mkdir()
    scene.retain({"root.signed": wrapped})
    happened = refused(scene, "release root")
    return recovered(scene, happened)


def _strange_first_root(scene: Scene) -> str:
    root = make_strange_repository(scene.folder / "stranger").shelf.data("1.root.json").decode()
    return _new_board(scene, sign_document(ROOT_LABEL, root, Ed25519PrivateKey.generate()))


def _roster_as_root(scene: Scene) -> str:
    return _new_board(scene, (scene.folder / "fleet" / "roster.json").read_bytes())


def _first_root_again(scene: Scene) -> str:
    """Whoever has the fleet's root key brings a new first root to a board that has begun."""
    root = make_strange_repository(scene.folder / "stranger").shelf.data("1.root.json").decode()
    key = open_root(scene.folder / "fleet").key
    scene.retain({"root.signed": sign_document(ROOT_LABEL, root, key)})
    assert scene.look() == NEWEST
    return "not even asked for; the newest release stays"


def _expired_targets(targets: Metadata[Targets]) -> None:
    targets.signed.expires = datetime.fromtimestamp(NEW_S - DAY_S, UTC)


def _unchanged(_root: Root) -> None:
    """The version is another one already."""


def _raised(root: Root) -> None:
    root.version += 5


def row(name: str, tried: str, forge: Forge, why: str) -> UpdateAttack:
    """An attack that is what the broker holds."""
    return UpdateAttack(name, tried, partial(retained, forge=forge, why=why))


_UNSIGNED = "signed by [01]/[12] keys"
_NO_HASH = "[Oo]bserved|[Hh]ash|length"

FORGERIES = (
    row("timestamp of a stranger", "signs it with a key of its own", _strange_timestamp, _UNSIGNED),
    row("targets of a stranger", "vouches for a package, own key", _strange_targets, _UNSIGNED),
    row(
        "targets of an online key",
        "vouches for a package, the rollout's key",
        lambda scene: with_targets(scene, _evil, ROLLOUT),
        _UNSIGNED,
    ),
    row(
        "root of a stranger",
        "names keys of its own, signs with them",
        lambda scene: with_root(scene, _unchanged, true=False),
        _UNSIGNED,
    ),
    row(
        "root of a version too far",
        "brings root 7 as root 2, truly signed",
        lambda scene: with_root(scene, _raised),
        "Expected root version 2",
    ),
    UpdateAttack(
        "targets below their threshold", "one of three people signs twice", _below_threshold
    ),
    *(
        row(f"{name.partition('.')[0]} flipped", "turns one bit", partial(_flipped, name=name), w)
        for name, w in {
            "timestamp.json": _UNSIGNED,
            "snapshot.json": _NO_HASH,
            "targets.json": _NO_HASH,
        }.items()
    ),
    *(
        row(
            f"old {name.partition('.')[0]} in a new release",
            "mixes what was published at different times",
            partial(_mixed, name=name),
            _NO_HASH,
        )
        for name in ("snapshot.json", "targets.json")
    ),
    row(
        "another fleet's release",
        "brings it as this one's",
        _another_fleets,
        "signed by 0/1|after|Expected|>=",
    ),
    UpdateAttack("first root of a stranger", "to a new board", _strange_first_root),
    UpdateAttack("roster as a first root", "signed by the root for another use", _roster_as_root),
    UpdateAttack("first root again", "a second beginning, truly signed", _first_root_again),
    UpdateAttack(
        "targets expired",
        "holds the offline part back for a year",
        partial(
            retained,
            forge=lambda scene: with_targets(scene, _expired_targets),
            why="targets is expired",
            kind=ExpiredError,
        ),
    ),
)
