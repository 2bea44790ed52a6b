"""Commands that were cut short, or given twice at once: nothing is lost, all can be given again."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from broker.fleet import pools
from broker.fleet.errors import (
    AlreadyEnrolledError,
)
from broker.fleet.folder import store
from broker.fleet.keys import init
from broker.wire.credentials import WorkerCredentials, load_roster, load_worker
from broker.wire.keys import (
    PoolPrivateKey,
    signing_key_name,
)
from cloud_worker.pool_keys import PoolKeys
from tests.asker import FLEET, POOL, Asker, Fleet

NOW_S = 1_700_000_000.0


def opened(worker: WorkerCredentials) -> Mapping[bytes, PoolPrivateKey]:
    """The private keys of a worker's folder."""
    return PoolKeys(worker, proof_s=0.0).at(NOW_S)


def test_an_init_that_was_cut_short_is_given_again(fleet: Fleet) -> None:
    (fleet.folder / "fleet.json").unlink()  # the last file that `init` writes

    init(fleet.folder, FLEET)

    assert fleet.enroll("board-1").route.fleet == FLEET


def test_a_pool_that_was_cut_short_is_made_again(fleet: Fleet) -> None:
    pools.add(fleet.folder, POOL, now_s=NOW_S)
    (fleet.worker_folder / "worker.json").unlink()  # the last file that `add` writes

    added = pools.add(fleet.folder, POOL, now_s=NOW_S)

    assert added
    assert opened(load_worker(fleet.worker_folder))


def test_an_enrolment_that_was_cut_short_before_the_roster_is_given_again(fleet: Fleet) -> None:
    before = (fleet.folder / "roster.json").read_bytes()
    fleet.enroll("board-1")
    store(fleet.folder / "roster.json", before)

    again = fleet.enroll("board-1")

    key = again.credentials.signing_key.public_key()
    roster = load_roster(fleet.worker_folder)
    assert roster.signing_key(again.route.device, signing_key_name(key)) == key


def test_an_enrolment_that_was_cut_short_before_the_workers_knew_is_repaired(
    fleet: Fleet, asker: Asker
) -> None:
    known = (fleet.worker_folder / "roster.json").read_bytes()
    fleet.enroll("board-2")
    store(fleet.worker_folder / "roster.json", known)

    with pytest.raises(AlreadyEnrolledError):
        fleet.enroll("board-2")

    assert set(load_roster(fleet.worker_folder).devices) == {asker.route.device, "board-2"}


_ENROLL = """
import sys
from pathlib import Path
from broker.fleet.keys import enroll
for number in range(5):
    enroll(Path(sys.argv[1]), f"{sys.argv[2]}-{number}", "main", now_s=float(sys.argv[3]))
"""


def test_two_commands_at_once_lose_no_device(fleet: Fleet) -> None:
    root = Path(__file__).parents[3]
    commands = [
        [sys.executable, "-c", _ENROLL, str(fleet.folder), name, str(time.time())]
        for name in ("left", "right")
    ]
    running = [subprocess.Popen(command, cwd=root) for command in commands]

    assert [process.wait(30) for process in running] == [0, 0]

    roster = load_roster(fleet.worker_folder)
    assert (len(roster.devices), roster.version) == (10, 11)
