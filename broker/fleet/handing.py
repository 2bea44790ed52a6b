"""Hands a pool's keys to the folders of its workers and devices, and deletes what is over in all.

pools/<pool>/bundle.json       signed: the truth
pools/<pool>/epochs-*.json     private: each worker's folder has them too
"""

from pathlib import Path
from typing import TypeVar

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import store
from broker.fleet.root import Root, read_public
from broker.wire.bundle import KeyBundle, open_bundle
from broker.wire.credentials import BUNDLE, DEVICE_CARD, WORKER_CARD, DeviceCard, WorkerCard
from broker.wire.epochs import PATTERN, open_epochs
from broker.wire.errors import KeyFileError
from broker.wire.topics import PoolId

_Card = TypeVar("_Card", DeviceCard, WorkerCard)


def pool_folder(folder: Path, pool: PoolId) -> Path:
    """Where the operator keeps a pool's keys."""
    return folder / "pools" / pool


def pools(folder: Path) -> list[PoolId]:
    """Every pool of a fleet."""
    return [PoolId(path.parent.name) for path in sorted(folder.glob(f"pools/*/{BUNDLE}"))]


def workers_of(folder: Path, pool: PoolId) -> list[Path]:
    """The folders of a pool's workers.

    Raises:
        NotAFleetError: one has a damaged card.
    """
    return _of_pool(folder, pool, f"workers/*/{WORKER_CARD}", WorkerCard)


def read_bundle(folder: Path, pool: PoolId) -> KeyBundle:
    """A pool's bundle of now; needs no passphrase.

    Raises:
        NotAFleetError: no such pool, or its bundle is damaged.
    """
    path, public = pool_folder(folder, pool) / BUNDLE, read_public(folder)
    try:
        return open_bundle(path.read_bytes(), public)[0]
    except OSError:
        known = ", ".join(pools(folder)) or "none"
        raise NotAFleetError(f"{folder} has no pool {pool!r}; it has: {known}") from None
    except KeyFileError as error:
        raise NotAFleetError(f"{path}: {error}. Restore it from a backup") from error


def share(root: Root, pool: PoolId, bundle: KeyBundle, *, now_s: float) -> None:
    """Bring every folder of a pool to the keys of now. Done twice, it does no more.

    Raises:
        NotAFleetError: a folder has a damaged file.
    """
    source = pool_folder(root.folder, pool)
    try:
        open_epochs(source, bundle, now_s=now_s)
        for folder in workers_of(root.folder, pool):
            share_with_worker(source, folder)
            open_epochs(folder, bundle, now_s=now_s)
    except KeyFileError as error:
        raise NotAFleetError(str(error)) from error
    for folder in _of_pool(root.folder, pool, f"devices/*/{DEVICE_CARD}", DeviceCard):
        _copy(source / BUNDLE, folder / BUNDLE)


def share_with_worker(source: Path, folder: Path) -> None:
    """Give a worker's folder what a pool's folder holds."""
    for path in sorted(source.glob(PATTERN)):  # before the bundle that speaks of them
        _copy(path, folder / path.name)
    _copy(source / BUNDLE, folder / BUNDLE)


def _of_pool(folder: Path, pool: PoolId, pattern: str, card: type[_Card]) -> list[Path]:
    found = []
    for path in sorted(folder.glob(pattern)):
        try:
            if card.read(path.read_bytes()).pool == pool:
                found.append(path.parent)
        except ValueError as error:
            raise NotAFleetError(f"{path}: {error}. Restore it from a backup") from error
    return found


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        store(target, content)
