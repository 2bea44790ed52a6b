"""A worker's keys over time: deleted on schedule, never brought back, no old bundle taken."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.fleet import pools
from broker.fleet.epochs import DAY_S, EpochPlan
from broker.wire.credentials import load_worker
from broker.wire.errors import KeyFileError
from broker.wire.files import write_whole
from cloud_worker.pool_keys import PoolKeys
from tests.asker import POOL, Fleet
from tests.unit.wire.test_epochs import no_room

NOW_S = 1_700_000_000.0
OVER_S = NOW_S + DAY_S + 3600  # the first epoch and its grace


@pytest.fixture
def rotating(fleet: Fleet) -> Fleet:
    """A fleet whose pool has three epochs of a day."""
    pools.add(fleet.folder, POOL, now_s=NOW_S, plan=EpochPlan(epochs=3))
    return fleet


def keys_of(fleet: Fleet) -> PoolKeys:
    return PoolKeys(load_worker(fleet.worker_folder), proof_s=0.0)


def bundle_file(fleet: Fleet) -> Path:
    return fleet.worker_folder / "bundle.json"


def test_a_key_is_over_and_deleted_after_its_grace(rotating: Fleet) -> None:
    keys = keys_of(rotating)

    before, after = set(keys.at(NOW_S)), set(keys.at(OVER_S))

    assert (len(before), len(after)) == (6, 4)
    assert after < before
    assert keys.counters["epochs_deleted"] == 1
    assert set(keys_of(rotating).at(NOW_S)) == after  # no clock brings it back


def test_new_keys_are_taken_while_it_runs(rotating: Fleet) -> None:
    keys = keys_of(rotating)
    before = set(keys.at(NOW_S))
    ended_s = NOW_S + DAY_S - 60  # the first epoch has, and is in its grace
    rotating.rotate(now_s=ended_s)

    keys.refresh(ended_s)

    assert before < set(keys.at(ended_s))


def test_keys_that_were_given_up_are_deleted_while_it_runs(rotating: Fleet) -> None:
    keys = keys_of(rotating)
    before = set(keys.at(NOW_S))
    rotating.renew(now_s=NOW_S)

    keys.refresh(NOW_S)

    assert before.isdisjoint(keys.at(NOW_S))
    assert len(list(rotating.worker_folder.glob("epochs-*.json"))) == 1


def test_an_unchanged_folder_is_not_read_again(
    rotating: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    keys = keys_of(rotating)
    keys.refresh(NOW_S)
    opened = keys.at(NOW_S)

    keys.refresh(NOW_S + 1)

    assert keys.at(NOW_S + 1) is opened
    assert caplog.messages == []


BACK: dict[str, Callable[[bytes], bytes]] = {
    "an older one": lambda old: old,
    "a damaged one": lambda _: b"{}",
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("bad", BACK.values(), ids=BACK)
def test_a_bundle_that_cannot_be_used_leaves_the_keys(
    rotating: Fleet, bad: Callable[[bytes], bytes]
) -> None:
    old = rotating.bundle()
    rotating.renew(now_s=NOW_S)
    keys = keys_of(rotating)
    opened = set(keys.at(NOW_S))

    write_whole(bundle_file(rotating), bad(old))
    keys.refresh(NOW_S)

    assert set(keys.at(NOW_S)) == opened
    assert keys.counters["bundles_refused"] == 1


def test_an_older_bundle_is_not_taken_after_a_restart(rotating: Fleet) -> None:
    old = rotating.bundle()
    rotating.renew(now_s=NOW_S)
    keys_of(rotating)
    write_whole(bundle_file(rotating), old)

    with pytest.raises(KeyFileError, match="this key bundle is version 1 after 2"):
        keys_of(rotating)


def test_a_floor_that_cannot_be_read_is_told(rotating: Fleet) -> None:
    keys_of(rotating)
    (rotating.worker_folder / "bundle.floor").write_bytes(b"{")

    with pytest.raises(KeyFileError, match=r"bundle\.floor: .*Remove it if you know"):
        keys_of(rotating)


def test_a_chain_that_is_damaged_while_it_runs_leaves_the_keys(rotating: Fleet) -> None:
    keys = keys_of(rotating)
    opened = set(keys.at(NOW_S))
    (rotating.worker_folder / "epochs-1.json").write_bytes(b"{")

    keys.refresh(NOW_S)

    assert set(keys.at(NOW_S)) == opened
    assert keys.counters["keys_unreadable"] == 1


def test_a_worker_without_keys_says_so(rotating: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    keys = keys_of(rotating)

    with caplog.at_level(logging.INFO):
        opened = keys.at(NOW_S + 4 * DAY_S)

    assert opened == {}
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR"]
    assert "nothing can be answered" in caplog.messages[-1]


def test_a_clock_that_jumps_deletes_nothing_until_it_has_run_evenly(rotating: Fleet) -> None:
    steady = [0.0]
    keys = PoolKeys(load_worker(rotating.worker_folder), proof_s=600.0, steady_s=lambda: steady[0])
    proven_s = NOW_S + 601
    left = []

    for steady_s, now_s in (
        (0.0, NOW_S),
        (601.0, proven_s),
        (602.0, proven_s + 365 * DAY_S),  # it is set by a year
        (1201.0, proven_s + 365 * DAY_S + 599),
        (1202.0, proven_s + 601),  # and back
        (1803.0, proven_s + 1202),
        (1804.0 + DAY_S, proven_s + 1203 + DAY_S),
    ):
        steady[0] = steady_s
        left.append(len(keys.at(now_s)))

    assert left == [6, 6, 6, 6, 6, 6, 4]
    assert (keys.counters["clock_jumps"], keys.counters["epochs_deleted"]) == (2, 1)


def test_a_clock_that_is_right_again_after_a_while_deletes_what_is_over(rotating: Fleet) -> None:
    steady = [0.0]
    keys = PoolKeys(load_worker(rotating.worker_folder), proof_s=600.0, steady_s=lambda: steady[0])
    keys.at(NOW_S - 365 * DAY_S)

    before = len(keys.at(OVER_S))
    steady[0] = 600.0
    after = len(keys.at(OVER_S + 600))

    assert (before, after) == (6, 4)


def test_a_disk_that_keeps_what_is_over_is_told_and_tried_again(rotating: Fleet) -> None:
    keys = keys_of(rotating)
    with no_room():
        left = len(keys.at(OVER_S))
        keys.at(OVER_S + 1)
        keys.at(OVER_S + 61)

    keys.at(OVER_S + 122)

    assert left == 4
    assert (keys.counters["epochs_undeleted"], keys.counters["epochs_deleted"]) == (2, 1)


def test_a_floor_that_cannot_be_kept_holds_until_the_end(
    rotating: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    with no_room():
        keys = keys_of(rotating)

    assert keys.at(NOW_S)
    assert "an old key bundle could come back" in caplog.text
