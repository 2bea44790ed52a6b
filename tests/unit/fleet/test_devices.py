from pathlib import Path

import pytest

from broker.fleet import devices, pools
from broker.fleet.devices import Record, list_devices, revoke
from broker.fleet.errors import AlreadyEnrolledError, NotAFleetError, UnknownDeviceError
from broker.fleet.folder import store
from broker.fleet.keys import enroll
from broker.fleet.root import open_root
from broker.wire.credentials import load_roster
from broker.wire.errors import EnvelopeError
from broker.wire.keys import signing_key_name
from broker.wire.topics import DeviceId, PoolId
from tests.asker import POOL, Asker, Fleet

NOW_S = 1_700_000_000.0


def test_every_device_is_listed_with_what_is_known_of_it(fleet: Fleet) -> None:
    enroll(fleet.folder, DeviceId("board-2"), POOL, now_s=NOW_S)
    enroll(fleet.folder, DeviceId("board-1"), PoolId("other"), now_s=NOW_S + 1)
    revoke(open_root(fleet.folder), DeviceId("board-2"))

    found = list_devices(fleet.folder)

    assert (found.fleet, found.roster_version) == ("home", 4)
    assert [(each.device, each.revoked) for each in found.listed] == [
        ("board-1", False),
        ("board-2", True),
    ]
    assert [each.record and (each.record.pool, each.record.since_s) for each in found.listed] == [
        ("other", NOW_S + 1),
        (POOL, NOW_S),
    ]


def test_a_device_whose_record_is_lost_is_listed(fleet: Fleet, asker: Asker) -> None:
    path = devices.folder_of(fleet.folder, asker.route.device) / "enrolled.json"
    path.write_bytes(b"{")
    (damaged,) = list_devices(fleet.folder).listed
    path.unlink()
    (lost,) = list_devices(fleet.folder).listed

    assert (damaged.device, damaged.record) == (lost.device, lost.record) == ("board-1", None)


def test_a_revoked_device_has_no_key_with_any_worker(fleet: Fleet, asker: Asker) -> None:
    pools.add(fleet.folder, PoolId("other"), now_s=NOW_S)
    name = signing_key_name(asker.credentials.signing_key.public_key())

    version = revoke(open_root(fleet.folder), asker.route.device)

    for pool in (POOL, PoolId("other")):
        roster = load_roster(pools.worker_folder(fleet.folder, pool))
        assert roster.version == version == 3
        with pytest.raises(EnvelopeError):
            roster.signing_key(asker.route.device, name)


def test_a_device_is_revoked_once(fleet: Fleet, asker: Asker) -> None:
    root = open_root(fleet.folder)

    versions = [revoke(root, asker.route.device) for _ in range(2)]

    assert versions == [3, 3]


def test_the_name_of_a_revoked_device_stays_taken(fleet: Fleet, asker: Asker) -> None:
    revoke(open_root(fleet.folder), asker.route.device)

    with pytest.raises(AlreadyEnrolledError):
        fleet.enroll(asker.route.device)


def test_revoking_nobody_is_told_with_who_there_is(fleet: Fleet, asker: Asker) -> None:
    assert asker.route.device == "board-1"

    with pytest.raises(UnknownDeviceError, match="in it: board-1"):
        revoke(open_root(fleet.folder), DeviceId("board-9"))


def test_a_revocation_that_was_cut_short_before_the_workers_knew_is_repaired(
    fleet: Fleet, asker: Asker
) -> None:
    before = (fleet.worker_folder / "roster.json").read_bytes()
    revoke(open_root(fleet.folder), asker.route.device)
    store(fleet.worker_folder / "roster.json", before)

    revoke(open_root(fleet.folder), asker.route.device)

    assert load_roster(fleet.worker_folder).devices[asker.route.device].revoked


@pytest.mark.parametrize("name", ["root.pub", "roster.json"])
def test_a_list_of_a_damaged_fleet_is_refused(fleet: Fleet, name: str) -> None:
    store(fleet.folder / name, b"zz")

    with pytest.raises(NotAFleetError, match=r"(?i)restore"):
        list_devices(fleet.folder)


def test_a_record_is_what_was_written(tmp_path: Path) -> None:
    card = Record(pool="cloud", since_s=1, certificate_end_s=2)

    devices.record(tmp_path, DeviceId("board-1"), card)

    assert Record.read((tmp_path / "devices/board-1/enrolled.json").read_bytes()) == card
