"""A pool of workers: its keys, the bundle that devices seal to, the folder that it runs from."""

from pathlib import Path

from broker.fleet.folder import (
    BUNDLE,
    POOL,
    ROOT_PUBLIC,
    ROSTER,
    check_name,
    locked,
    store,
)
from broker.fleet.private import make_private
from broker.fleet.root import Root, open_root
from broker.wire import bundle
from broker.wire.bundle import BundledKey, KeyBundle
from broker.wire.credentials import PoolKeys, StoredKey, WorkerCard
from broker.wire.keys import generate_private_bytes, public_bytes, supported_suites
from broker.wire.topics import PoolId

KEY_LIFE_S = 365 * 86_400  # until rotation comes, a fleet needs a new bundle once a year
_CLOCK_SLACK_S = 86_400  # boards have no battery clock: a key is valid from yesterday on


def add(folder: Path, pool: PoolId, *, now_s: float) -> bool:
    """Make a pool's keys and its worker folder; False if it is there already.

    Raises:
        FleetError: bad name, no fleet there, or the disk refused.
    """
    check_name("pool", pool)
    root = open_root(folder)
    with locked(folder):
        if (worker_folder(folder, pool) / "worker.json").exists():
            return False
        keys = _write_keys(root, pool, int(now_s))
        _write_worker(root, pool, keys)
    return True


def folder_of(folder: Path, pool: PoolId) -> Path:
    """Where the operator keeps a pool's keys."""
    return folder / "pools" / pool


def worker_folder(folder: Path, pool: PoolId) -> Path:
    """What the workers of a pool run from."""
    return folder / "workers" / pool


def _write_keys(root: Root, pool: PoolId, now_s: int) -> PoolKeys:
    keys = PoolKeys(
        keys=tuple(
            StoredKey(suite=suite, private=generate_private_bytes(suite).hex())
            for suite in supported_suites()
        )
    )
    public = KeyBundle(
        fleet=root.fleet,
        pool=pool,
        version=1,
        keys=tuple(_bundled(key, now_s) for key in keys.keys),
    )
    folder = folder_of(root.folder, pool)
    make_private(folder)
    store(folder / POOL, keys.write())
    store(folder / BUNDLE, root.sign(bundle.LABEL, public.write().decode()))
    return keys


def _bundled(key: StoredKey, now_s: int) -> BundledKey:
    return BundledKey(
        suite=key.suite,
        public=public_bytes(key.suite, bytes.fromhex(key.private)).hex(),
        not_before_s=now_s - _CLOCK_SLACK_S,
        not_after_s=now_s + KEY_LIFE_S,
    )


def _write_worker(root: Root, pool: PoolId, keys: PoolKeys) -> None:
    folder = worker_folder(root.folder, pool)
    make_private(folder)
    store(folder / POOL, keys.write())
    store(folder / ROOT_PUBLIC, (root.folder / ROOT_PUBLIC).read_bytes())
    store(folder / ROSTER, (root.folder / ROSTER).read_bytes())
    # Last: it is what makes the folder a worker's, so a cut short `add` is done again.
    card = WorkerCard(fleet=root.fleet, pool=pool)
    store(folder / "worker.json", card.write())
