from collections.abc import Mapping
from pathlib import Path

import pytest

from broker.fleet import pools
from broker.fleet.errors import (
    AlreadyEnrolledError,
    BadNameError,
    FleetError,
    FleetExistsError,
    NotAFleetError,
)
from broker.fleet.folder import store
from broker.fleet.keys import enroll, init
from broker.fleet.root import open_root
from broker.wire.credentials import WorkerCredentials, load_device, load_roster, load_worker
from broker.wire.errors import KeyFileError
from broker.wire.keys import (
    PoolPrivateKey,
    PoolPublicKey,
    Suite,
    signing_key_name,
    supported_suites,
)
from broker.wire.topics import DeviceId, FleetId, PoolId
from cloud_worker.pool_keys import PoolKeys
from tests.asker import FLEET, POOL, Asker, Fleet

NOW_S = 1_700_000_000.0
DAY_S = 86_400


def opened(worker: WorkerCredentials) -> Mapping[bytes, PoolPrivateKey]:
    """The private keys of a worker's folder."""
    return PoolKeys(worker, proof_s=0.0).at(NOW_S)


def modes(folder: Path) -> set[tuple[str, str]]:
    """What may be read by whom: kind and mode of everything in a folder."""
    return {
        ("folder" if path.is_dir() else "file", oct(path.stat().st_mode & 0o777))
        for path in [folder, *folder.rglob("*")]
    }


def test_a_fleet_has_an_empty_roster(tmp_path: Path) -> None:
    made = init(tmp_path / "fleet", FLEET)
    pools.add(tmp_path / "fleet", POOL, now_s=NOW_S)

    assert (made.fleet, made.root_key) == (FLEET, tmp_path / "fleet" / "root.key")
    roster = load_roster(pools.worker_folder(tmp_path / "fleet", POOL))
    assert (roster.fleet, roster.version, roster.devices) == (FLEET, 1, {})


def test_nobody_but_the_owner_can_read_anything(fleet: Fleet, asker: Asker) -> None:
    assert asker.route.device == "board-1"

    assert modes(fleet.folder) == {("folder", "0o700"), ("file", "0o600")}


def test_a_device_and_its_pool_find_each_other(fleet: Fleet) -> None:
    made = enroll(fleet.folder, DeviceId("board-1"), POOL, now_s=NOW_S)

    device, worker = load_device(made.device_folder), load_worker(made.worker_folder)
    pool_key = device.bundle.best_key(supported_suites(), NOW_S)
    device_key = device.signing_key.public_key()
    name = signing_key_name(device_key)
    assert (device.fleet, device.device, device.pool) == (FLEET, "board-1", POOL)
    assert (worker.fleet, worker.pool) == (FLEET, POOL)
    assert opened(worker)[pool_key.name].suite is Suite.XWING
    assert worker.roster.signing_key(device.device, name) == device_key
    assert (made.device_key, made.roster_version, made.new_pool) == (name.hex(), 2, True)


def test_both_suites_have_a_key_each_day_of_a_month(fleet: Fleet) -> None:
    made = enroll(fleet.folder, DeviceId("board-1"), POOL, now_s=NOW_S)
    bundle = load_device(made.device_folder).bundle

    names = {
        PoolPublicKey.from_bytes(key.suite, bytes.fromhex(key.public)).name for key in bundle.keys
    }

    assert names == set(opened(load_worker(made.worker_folder)))
    for suite in Suite:
        days = {bundle.best_key((suite,), NOW_S + day * DAY_S).name for day in range(30)}
        assert len(days) == 30
        assert bundle.best_key((suite,), NOW_S - 3600).suite is suite
        with pytest.raises(KeyFileError, match="no key of pool main is valid now"):
            bundle.best_key((suite,), NOW_S + 30 * DAY_S)


def test_every_device_has_keys_of_its_own(fleet: Fleet) -> None:
    one, other = (fleet.enroll(name).credentials for name in ("board-1", "board-2"))

    assert one.storage_key != other.storage_key
    assert one.signing_key.private_bytes_raw() != other.signing_key.private_bytes_raw()
    assert one.bundle == other.bundle


def test_every_pool_has_keys_of_its_own_and_the_whole_roster(fleet: Fleet) -> None:
    fleet.enroll("board-1")
    fleet.enroll("board-2", PoolId("other"))

    main, other = (
        load_worker(pools.worker_folder(fleet.folder, pool)) for pool in (POOL, PoolId("other"))
    )

    assert set(opened(main)).isdisjoint(opened(other))
    assert main.roster == other.roster
    assert set(main.roster.devices) == {"board-1", "board-2"}


def test_the_roster_rises_by_one_with_each_device(fleet: Fleet) -> None:
    versions = [
        enroll(fleet.folder, DeviceId(f"board-{n}"), POOL, now_s=NOW_S).roster_version
        for n in range(3)
    ]

    assert versions == [2, 3, 4]


def test_a_pool_is_added_once(fleet: Fleet) -> None:
    added = [pools.add(fleet.folder, POOL, now_s=NOW_S) for _ in range(2)]

    assert added == [True, False]


def test_a_device_is_enrolled_once_and_keeps_its_keys(fleet: Fleet, asker: Asker) -> None:
    with pytest.raises(AlreadyEnrolledError, match="copy that, or choose another name"):
        fleet.enroll("board-1")

    folder = fleet.folder / "devices" / "board-1"
    assert load_device(folder).storage_key == asker.credentials.storage_key


def test_a_second_fleet_in_one_folder_is_refused(fleet: Fleet) -> None:
    before = (fleet.folder / "root.key").read_bytes()

    with pytest.raises(FleetExistsError, match="use 'firstline fleet enroll'"):
        init(fleet.folder, FLEET)

    assert (fleet.folder / "root.key").read_bytes() == before


BAD_NAMES = ["", "Board", "a b", "a/b", "+", "#", "../evil", "-a", "a" * 65, "a\n"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_refused_with_the_rule(fleet: Fleet, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadNameError, match="choose a name of 1 to 64"):
        enroll(fleet.folder, DeviceId(name), POOL, now_s=NOW_S)
    with pytest.raises(BadNameError, match="choose a name of 1 to 64"):
        enroll(fleet.folder, DeviceId("board-1"), PoolId(name), now_s=NOW_S)
    with pytest.raises(BadNameError, match="choose a name of 1 to 64"):
        init(tmp_path / "new", FleetId(name))

    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_no_fleet_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotAFleetError, match="firstline fleet init"):
        enroll(tmp_path, DeviceId("board-1"), POOL, now_s=NOW_S)


DAMAGES = {"root.key": b"zz", "fleet.json": b"{}", "roster.json": b"{}"}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_fleet_is_refused(fleet: Fleet, asker: Asker, name: str) -> None:
    assert asker.route.device == "board-1"
    store(fleet.folder / name, DAMAGES[name])

    with pytest.raises(NotAFleetError, match=r"(?i)restore"):
        fleet.enroll("board-2")


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "root.key").mkdir()  # a file cannot take its place

    with pytest.raises(FleetError, match=r"root\.key"):
        init(tmp_path / "fleet", FLEET)


def test_no_key_is_shown_when_a_value_is_printed(fleet: Fleet) -> None:
    shown = repr(open_root(fleet.folder))

    assert "Ed25519" not in shown
    assert "key=" not in shown
