"""A pool of workers: its keys, the bundle that devices seal to, the folder that it runs from."""

from pathlib import Path

from broker.fleet import epochs
from broker.fleet.authority import write_client
from broker.fleet.certificates import worker_name
from broker.fleet.epochs import EpochPlan
from broker.fleet.errors import AlreadyEnrolledError
from broker.fleet.folder import check_name, locked, store
from broker.fleet.handing import pool_folder, read_bundle, share_with_worker
from broker.fleet.private import make_private
from broker.fleet.root import Root, open_root
from broker.wire.credentials import BUNDLE, ROOT_PUBLIC, ROSTER, WORKER_CARD, WorkerCard
from broker.wire.topics import PoolId, WorkerId

FIRST_WORKER = WorkerId("1")


def add(
    folder: Path,
    pool: PoolId,
    *,
    now_s: float,
    passphrase: str | None = None,
    plan: EpochPlan | None = None,
) -> bool:
    """Make a pool's keys and the folder of its first worker; False if it is there already.

    Raises:
        FleetError: bad name, no fleet there, or the disk refused.
    """
    check_name("pool", pool)
    card = worker_folder(folder, pool) / WORKER_CARD
    if card.exists():
        return False  # and no passphrase is stretched for that
    root = open_root(folder, passphrase)
    with locked(folder):
        if card.exists():
            return False
        if not (pool_folder(folder, pool) / BUNDLE).exists():
            epochs.begin(root, pool, plan or EpochPlan(), now_s=now_s)
        _write_worker(root, pool, FIRST_WORKER, now_s)
    return True


def add_worker(root: Root, pool: PoolId, worker: WorkerId, *, now_s: float) -> Path:
    """Make the folder of one more worker of a pool: a name and a certificate of its own.

    Raises:
        FleetError: bad name, no such pool, the worker is there already, or the disk refused.
    """
    check_name("worker", worker)
    read_bundle(root.folder, pool)
    folder = worker_folder(root.folder, pool, worker)
    with locked(root.folder):
        if (folder / WORKER_CARD).exists():
            raise AlreadyEnrolledError(
                f"the worker {worker} of {pool} is there already, and its folder is {folder}: "
                "copy that, or choose another name"
            )
        _write_worker(root, pool, worker, now_s)
    return folder


def worker_folder(folder: Path, pool: PoolId, worker: WorkerId = FIRST_WORKER) -> Path:
    """What a worker of a pool runs from."""
    name = pool if worker == FIRST_WORKER else worker_name(pool, worker)
    return folder / "workers" / name


def _write_worker(root: Root, pool: PoolId, worker: WorkerId, now_s: float) -> None:
    folder = worker_folder(root.folder, pool, worker)
    make_private(folder)
    share_with_worker(pool_folder(root.folder, pool), folder)
    store(folder / ROOT_PUBLIC, (root.folder / ROOT_PUBLIC).read_bytes())
    store(folder / ROSTER, (root.folder / ROSTER).read_bytes())
    write_client(root.authority(), folder, worker_name(pool, worker), now_s=now_s)
    # Last: it is what makes the folder a worker's, so a cut short `add` is done again.
    card = WorkerCard(fleet=root.fleet, pool=pool)
    store(folder / WORKER_CARD, card.write())
