"""The operator's side of a pool's keys over time."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from broker.fleet import pools
from broker.fleet.epochs import DAY_S, EpochPlan, begin, extend, renew
from broker.fleet.errors import EpochsError, NotAFleetError
from broker.fleet.handing import read_bundle
from broker.fleet.root import Root, open_root
from broker.wire.credentials import load_device, load_worker
from broker.wire.envelope import MAX_REPLY_BYTES
from broker.wire.epochs import read_chains
from broker.wire.keys import supported_suites
from broker.wire.topics import PoolId
from cloud_worker.pool_keys import PoolKeys
from tests.asker import POOL, Fleet

NOW_S = 1_700_000_000.0
ROOM_BYTES = 4096  # for certificates
WEEK = EpochPlan(epoch_s=DAY_S, grace_s=3600, epochs=7)


@pytest.fixture
def root(fleet: Fleet) -> Root:
    """A fleet with one pool and its device, made at NOW_S."""
    pools.add(fleet.folder, POOL, now_s=NOW_S, plan=WEEK)
    fleet.enroll("board-1")
    return open_root(fleet.folder)


def opens(fleet: Fleet, now_s: float) -> set[bytes]:
    return set(PoolKeys(load_worker(fleet.worker_folder), proof_s=0.0).at(now_s))


def sealed_to(root: Root, now_s: float) -> bytes:
    return read_bundle(root.folder, POOL).best_key(supported_suites(), now_s).name


def test_more_epochs_follow_the_last_one(root: Root) -> None:
    before = read_bundle(root.folder, POOL)

    made = extend(root, POOL, now_s=NOW_S + 3 * DAY_S)

    after = read_bundle(root.folder, POOL)
    assert (made.version, made.added, made.epochs) == (2, 3, 7)
    assert made.ends_s == before.ends_s + 3 * DAY_S
    assert after.keys[:2] == before.keys[6:8]  # of the two suites: three days are over
    assert after.notice_key == before.notice_key
    times = sorted({(key.not_before_s, key.not_after_s) for key in after.keys})
    assert all(end == start for (_, end), (start, _) in pairwise(times))


def test_an_epoch_in_its_grace_stays_in_the_bundle(root: Root) -> None:
    ended_s = read_bundle(root.folder, POOL).keys[0].not_after_s

    extend(root, POOL, now_s=ended_s + 60)

    assert read_bundle(root.folder, POOL).keys[0].not_after_s == ended_s


def test_nothing_is_made_when_nothing_is_missing(root: Root) -> None:
    made = extend(root, POOL, now_s=NOW_S)

    assert (made.version, made.added, made.epochs) == (1, 0, 7)


def test_a_pool_that_slept_for_a_year_begins_now(root: Root, fleet: Fleet) -> None:
    late_s = NOW_S + 365 * DAY_S

    made = extend(root, POOL, now_s=late_s)

    assert (made.version, made.added, made.epochs) == (2, 7, 7)
    assert sealed_to(root, late_s) in opens(fleet, late_s)


def test_every_folder_has_the_keys_of_now(root: Root, fleet: Fleet) -> None:
    now_s = NOW_S + 3 * DAY_S
    extend(root, POOL, now_s=now_s)

    device = load_device(fleet.folder / "devices" / "board-1")
    assert device.bundle == read_bundle(root.folder, POOL)
    assert opens(fleet, now_s) == set(device.bundle.names())


def test_private_keys_that_are_over_are_deleted_here_too(root: Root, fleet: Fleet) -> None:
    extend(root, POOL, now_s=NOW_S + 3 * DAY_S)

    starts = [
        chain.start_s
        for folder in (fleet.folder / "pools" / POOL, fleet.worker_folder)
        for path, chain in read_chains(folder).items()
        if path.name == "epochs-1.json"
    ]
    assert starts == [int(NOW_S) - 3600 + 3 * DAY_S] * 2


def test_keys_that_somebody_may_have_are_given_up_at_once(root: Root, fleet: Fleet) -> None:
    before = read_bundle(root.folder, POOL)
    stolen = opens(fleet, NOW_S)

    made = renew(root, POOL, now_s=NOW_S)

    after = read_bundle(root.folder, POOL)
    assert (made.version, made.epochs) == (2, 7)
    assert stolen.isdisjoint(after.names())
    assert stolen.isdisjoint(opens(fleet, NOW_S))
    assert after.notice_key != before.notice_key
    assert [path.name for path in read_chains(fleet.worker_folder)] == ["epochs-2.json"]


def test_a_new_plan_holds_from_then_on(root: Root) -> None:
    extend(root, POOL, EpochPlan(epoch_s=DAY_S // 2, grace_s=60, epochs=20), now_s=NOW_S)

    made = extend(root, POOL, now_s=NOW_S + 2 * DAY_S)

    assert made.added == 4
    assert read_bundle(root.folder, POOL).grace_s == 60


def test_more_epochs_than_a_message_holds_are_refused(root: Root) -> None:
    extend(root, POOL, EpochPlan(epoch_s=DAY_S // 4, epochs=40), now_s=NOW_S)
    before = read_bundle(root.folder, POOL)

    with pytest.raises(EpochsError, match="choose fewer days, or longer epochs"):
        extend(root, POOL, EpochPlan(epochs=40), now_s=NOW_S)

    assert read_bundle(root.folder, POOL) == before


def test_the_longest_bundle_fits_into_one_message(fleet: Fleet) -> None:
    pools.add(fleet.folder, POOL, now_s=NOW_S, plan=EpochPlan(epochs=40))

    joined = json.dumps({"bundle": fleet.bundle().decode()})  # as a board that joins gets it
    assert len(joined) < MAX_REPLY_BYTES - ROOM_BYTES


def test_a_pool_that_is_not_there_is_told_with_those_that_are(root: Root) -> None:
    with pytest.raises(NotAFleetError, match=r"no pool 'ghost'; it has: main"):
        extend(root, PoolId("ghost"), now_s=NOW_S)


def test_a_rotation_that_was_cut_short_before_the_bundle_is_given_again(
    root: Root, fleet: Fleet
) -> None:
    before, now_s = fleet.bundle(), NOW_S + 3 * DAY_S
    extend(root, POOL, now_s=now_s)
    folder = fleet.folder / "pools" / POOL
    (folder / "bundle.json").write_bytes(before)
    for path in (fleet.worker_folder / "epochs-2.json", fleet.worker_folder / "bundle.json"):
        path.unlink()  # it had been cut before these

    extend(root, POOL, now_s=now_s)

    assert opens(fleet, now_s) == set(read_bundle(root.folder, POOL).names())


def test_a_rotation_that_was_cut_short_before_the_workers_knew_is_repaired(
    root: Root, fleet: Fleet
) -> None:
    now_s = NOW_S + 3 * DAY_S
    old_bundle = fleet.bundle()
    extend(root, POOL, now_s=now_s)
    (fleet.worker_folder / "epochs-2.json").unlink()
    (fleet.worker_folder / "bundle.json").write_bytes(old_bundle)

    made = extend(root, POOL, now_s=now_s)

    assert made.added == 0
    assert opens(fleet, now_s) == set(read_bundle(root.folder, POOL).names())


def test_a_first_bundle_is_version_one(fleet: Fleet, tmp_path: Path) -> None:
    assert tmp_path.exists()

    made = begin(open_root(fleet.folder), PoolId("other"), WEEK, now_s=NOW_S)

    assert (made.version, made.added, made.epochs) == (1, 7, 7)


DAMAGES = {
    "bundle.json": (b"{}", NotAFleetError, "Restore it from a backup"),
    "plan.json": (b"{", EpochsError, "Remove it for the default plan"),
    "epochs-1.json": (b"{", NotAFleetError, "epochs-1"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_of_a_pool_is_told_and_nothing_is_made(
    root: Root, fleet: Fleet, name: str
) -> None:
    content, error, message = DAMAGES[name]
    before = fleet.bundle()
    (fleet.folder / "pools" / POOL / name).write_bytes(content)

    with pytest.raises(error, match=message):
        extend(root, POOL, now_s=NOW_S)

    assert name == "bundle.json" or fleet.bundle() == before


def test_a_damaged_card_of_a_worker_is_told(root: Root, fleet: Fleet) -> None:
    (fleet.worker_folder / "worker.json").write_bytes(b"{")

    with pytest.raises(NotAFleetError, match=r"worker\.json"):
        extend(root, POOL, now_s=NOW_S + 3 * DAY_S)
