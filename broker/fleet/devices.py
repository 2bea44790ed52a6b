"""The devices of a fleet: what the operator keeps of each, how one is thrown out.

    DIR/devices/<device>/enrolled.json    since when, for which pool, until when its certificate is

The signed roster says who belongs to the fleet; this only says more of them.
"""

from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from broker.fleet.errors import UnknownDeviceError
from broker.fleet.folder import locked, store
from broker.fleet.private import make_private
from broker.fleet.root import Root, read_roster
from broker.wire.document import Document, Name
from broker.wire.roster import Roster
from broker.wire.topics import DeviceId, FleetId

_RECORD = "enrolled.json"


class Record(Document, frozen=True):
    """`enrolled.json`: what the operator knows of a device beside its keys."""

    pool: Name
    since_s: int  # Unix time, seconds
    certificate_end_s: int  # Unix time, seconds
    renewed_s: int = 0  # Unix time, seconds: its keys were renewed last; 0: never


@dataclass(frozen=True, slots=True)
class Listed:
    """One device of a fleet."""

    device: DeviceId
    revoked: bool
    record: Record | None  # None: it is damaged or lost; the device works all the same


@dataclass(frozen=True, slots=True)
class Devices:
    """All devices of a fleet."""

    fleet: FleetId
    roster_version: int
    listed: tuple[Listed, ...]


def folder_of(folder: Path, device: DeviceId) -> Path:
    """What the operator keeps of a device."""
    return folder / "devices" / device


def record(folder: Path, device: DeviceId, card: Record) -> None:
    """Keep what is known of a device.

    Raises:
        OSError: the disk refused.
    """
    make_private(folder_of(folder, device))
    store(folder_of(folder, device) / _RECORD, card.write())


def list_devices(folder: Path) -> Devices:
    """Read who is in a fleet; needs no passphrase.

    Raises:
        NotAFleetError: there is none, or its roster is missing or altered.
    """
    roster = read_roster(folder)
    listed = [
        Listed(DeviceId(name), enrolled.revoked, recorded(folder, DeviceId(name)))
        for name, enrolled in sorted(roster.devices.items())
    ]
    return Devices(FleetId(roster.fleet), roster.version, tuple(listed))


def revoke(root: Root, device: DeviceId) -> int:
    """Throw a device out; return the version of the roster that says so.

    A revoked device stays in the roster, so that nobody can enrol under its name by mistake.

    Raises:
        UnknownDeviceError: it is not in the fleet.
        FleetError: the disk refused.
    """
    with locked(root.folder):
        roster = root.roster()
        enrolled = roster.devices.get(device)
        if enrolled is None:
            known = ", ".join(sorted(roster.devices)) or "nobody"
            raise UnknownDeviceError(f"{device} is not in the fleet; in it: {known}")
        version = roster.version
        if not enrolled.revoked:
            devices = {**roster.devices, device: structs.replace(enrolled, revoked=True)}
            version = root.write_roster(
                Roster(fleet=roster.fleet, version=roster.version + 1, devices=devices)
            )
        root.share_roster()  # repairs what a command that was cut short left behind, too
    return version


def recorded(folder: Path, device: DeviceId) -> Record | None:
    """What is known of a device beside its keys; None: it is lost or damaged."""
    try:
        return Record.read((folder_of(folder, device) / _RECORD).read_bytes())
    except (OSError, ValueError):
        return None
