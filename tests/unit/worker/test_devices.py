import os
from pathlib import Path

import pytest

from broker.fleet.root import open_root
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.files import write_whole
from broker.wire.keys import signing_key_name
from broker.wire.roster import Roster
from cloud_worker.devices import Devices
from tests.asker import FLEET, Asker, Fleet


def name_of(asker: Asker) -> bytes:
    return signing_key_name(asker.credentials.signing_key.public_key())


def raw(devices: Devices, asker: Asker) -> bytes:
    key = devices.signing_key(asker.route.device, name_of(asker))
    return key.public_bytes_raw()


def roster_of(fleet: Fleet) -> Path:
    return fleet.worker_folder / "roster.json"


def test_an_enrolled_device_has_its_key(fleet: Fleet, asker: Asker) -> None:
    devices = Devices(fleet.worker_folder)

    key = raw(devices, asker)

    assert key == asker.credentials.signing_key.public_key().public_bytes_raw()


def test_a_key_is_parsed_once(fleet: Fleet, asker: Asker) -> None:
    devices = Devices(fleet.worker_folder)

    keys = [devices.signing_key(asker.route.device, name_of(asker)) for _ in range(2)]

    assert keys[0] is keys[1]


def test_a_key_of_another_device_is_unknown(fleet: Fleet, asker: Asker) -> None:
    other = fleet.enroll("board-2")
    devices = Devices(fleet.worker_folder)

    with pytest.raises(EnvelopeError):
        devices.signing_key(asker.route.device, name_of(other))


def test_a_device_enrolled_later_is_known_at_its_first_question(fleet: Fleet, asker: Asker) -> None:
    devices = Devices(fleet.worker_folder)
    raw(devices, asker)

    newcomer = fleet.enroll("board-2")

    assert raw(devices, newcomer)


def test_a_revoked_device_is_unknown_after_the_next_look(fleet: Fleet, asker: Asker) -> None:
    devices = Devices(fleet.worker_folder)
    raw(devices, asker)
    fleet.revoke(asker)

    devices.refresh()

    with pytest.raises(EnvelopeError):
        raw(devices, asker)


def test_a_damaged_roster_is_not_taken(fleet: Fleet, asker: Asker) -> None:
    devices = Devices(fleet.worker_folder)
    write_whole(roster_of(fleet), b"{}")

    changed = devices.refresh()

    assert not changed
    assert raw(devices, asker)


def test_an_older_roster_is_not_taken(fleet: Fleet, asker: Asker) -> None:
    older = roster_of(fleet).read_bytes()
    fleet.revoke(asker)
    devices = Devices(fleet.worker_folder)
    write_whole(roster_of(fleet), older)

    changed = devices.refresh()

    assert not changed
    with pytest.raises(EnvelopeError):
        raw(devices, asker)


def test_a_missing_roster_leaves_the_old_one(fleet: Fleet, asker: Asker) -> None:
    devices = Devices(fleet.worker_folder)
    roster_of(fleet).unlink()

    changed = devices.refresh()

    assert not changed
    assert raw(devices, asker)


def test_a_roster_that_is_missing_at_the_start_is_told(fleet: Fleet, asker: Asker) -> None:
    assert asker.credentials.pool
    roster_of(fleet).unlink()

    with pytest.raises(KeyFileError, match="roster"):
        Devices(fleet.worker_folder)


def test_an_unchanged_roster_is_not_read_again(
    fleet: Fleet, asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    devices = Devices(fleet.worker_folder)
    status = roster_of(fleet).stat()
    with roster_of(fleet).open("r+b") as file:  # other bytes, same inode, size and time
        file.write(b"x")
    os.utime(roster_of(fleet), ns=(status.st_atime_ns, status.st_mtime_ns))

    changed = devices.refresh()

    assert not changed
    assert caplog.messages == []
    assert raw(devices, asker)


def test_an_older_roster_is_not_taken_after_a_restart(fleet: Fleet, asker: Asker) -> None:
    older = roster_of(fleet).read_bytes()
    fleet.revoke(asker)
    Devices(fleet.worker_folder)
    write_whole(roster_of(fleet), older)

    with pytest.raises(KeyFileError, match="this roster is version 2 after 3"):
        Devices(fleet.worker_folder)


def test_another_roster_of_the_same_version_is_not_taken(fleet: Fleet, asker: Asker) -> None:
    devices = Devices(fleet.worker_folder)
    root = open_root(fleet.folder)
    root.write_roster(Roster(fleet=FLEET, version=root.roster().version, devices={}))
    write_whole(roster_of(fleet), (fleet.folder / "roster.json").read_bytes())

    assert not devices.refresh()

    assert devices.refused == 1
    assert raw(devices, asker)
    with pytest.raises(KeyFileError, match="there are two rosters of version 2"):
        Devices(fleet.worker_folder)
