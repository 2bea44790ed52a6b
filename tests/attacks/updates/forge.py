"""What somebody can make who has stolen the online keys, or has keys of their own."""

from collections.abc import Callable
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, T, Targets, Timestamp

from broker.fleet.releases import metadata as made
from broker.fleet.releases.metadata import dump, file_name, renewed
from broker.fleet.releases.shelf import Shelf
from broker.fleet.releases.signing import sign_here
from broker.wire.vouched import ROLLOUT, SIGNED_S
from tests.attacks.updates.scene import NEW_S, Scene
from tests.retained import Files

Alter = Callable[[Metadata[Targets]], None]
FAR = 2**31


def shelf_of(scene: Scene) -> Shelf:
    """The operator's own metadata."""
    return scene.repository.shelf


def sign(scene: Scene, role: str, metadata: Metadata[T], by: str = "") -> bytes:
    """Sign with the keys of a role, or with those of another one."""
    metadata.signatures.clear()
    shelf = shelf_of(scene)
    chooser = shelf.targets().signed if (by or role) == ROLLOUT else shelf.root().signed
    sign_here(metadata, by or role, (chooser,), folder=shelf.folder)
    return dump(metadata)


def by_stranger(metadata: Metadata[T]) -> bytes:
    """Sign with a key that nobody knows."""
    metadata.signatures.clear()
    metadata.sign(CryptoSigner.generate_ed25519())
    return dump(metadata)


def pinned(
    scene: Scene,
    *,
    targets: tuple[int, bytes] | None = None,
    rollouts: tuple[int, bytes] | None = None,
    version: int = 0,
    signed_at_s: float = NEW_S,
) -> dict[str, bytes]:
    """A snapshot and a timestamp, truly signed, that lead to whatever is given.

    Args:
        scene: Whose online keys sign.
        targets: Version and bytes; the operator's by default.
        rollouts: The same.
        version: Of both; the next by default.
        signed_at_s: What the timestamp says, Unix time.
    """
    shelf = shelf_of(scene)
    now = shelf.targets(), shelf.rollouts()
    targets = targets or (now[0].signed.version, dump(now[0]))
    rollouts = rollouts or (now[1].signed.version, dump(now[1]))
    version = version or shelf.snapshot().signed.version + 1
    roles = {Targets.type: targets, ROLLOUT: rollouts}
    snapshot = made.snapshot_of(roles, version, now_s=max(NEW_S, signed_at_s))
    data = sign(scene, Snapshot.type, snapshot)
    timestamp = made.timestamp_of(snapshot, data, version, now_s=signed_at_s)
    return {
        file_name(Targets.type, targets[0]): targets[1],
        file_name(ROLLOUT, rollouts[0]): rollouts[1],
        file_name(Snapshot.type, version): data,
        file_name(Timestamp.type, 1): sign(scene, Timestamp.type, timestamp),
    }


def with_rollouts(scene: Scene, alter: Alter) -> Files:
    """All that the online keys can say, once the rollouts are what a thief wants."""
    rollouts = renewed(shelf_of(scene).rollouts(), ROLLOUT, now_s=NEW_S)
    alter(rollouts)
    return pinned(scene, rollouts=(rollouts.signed.version, sign(scene, ROLLOUT, rollouts)))


def with_targets(scene: Scene, alter: Alter, by: str = "") -> Files:
    """Other targets, signed by the offline keys or by those of another role, and pinned."""
    targets = renewed(shelf_of(scene).targets(), Targets.type, now_s=NEW_S)
    alter(targets)
    return pinned(scene, targets=(targets.signed.version, sign(scene, Targets.type, targets, by)))


def with_timestamp(scene: Scene, alter: Callable[[Timestamp], None]) -> Files:
    """Another timestamp, truly signed."""
    timestamp = shelf_of(scene).timestamp()
    timestamp.signed.version += 1
    alter(timestamp.signed)
    return {"timestamp.json": sign(scene, Timestamp.type, timestamp)}


def with_root(scene: Scene, alter: Callable[[Root], None], *, true: bool = True) -> Files:
    """The root that would come next; signed by the root's key, or by a stranger's."""
    root = renewed(shelf_of(scene).root(), Root.type, now_s=NEW_S)
    alter(root.signed)
    return {"2.root.json": sign(scene, Root.type, root) if true else by_stranger(root)}


def dated(when_s: int) -> Callable[[Timestamp], None]:
    """Have a timestamp say that it was signed at another time."""

    def alter(timestamp: Timestamp) -> None:
        timestamp.unrecognized_fields[SIGNED_S] = when_s

    return alter


def flipped(data: bytes) -> bytes:
    """The same with one bit turned in what is signed."""
    place = data.index(b'"version":') + len(b'"version":')
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def zero(path: Path) -> None:
    """What a power cut can leave of a file."""
    path.write_bytes(bytes(path.stat().st_size))
