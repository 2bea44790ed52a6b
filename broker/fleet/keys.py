"""Make a fleet, and enrol its devices.

    init   -> root key, empty roster
    enroll -> the pool's keys if it is new, the device's folder, a roster of one version more

The roster is the truth: a device is enrolled when the signed roster says so. Its folder is written
before that, so a command that was cut short can simply be given again.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet import pools
from broker.fleet.errors import AlreadyEnrolledError, FleetExistsError
from broker.fleet.folder import (
    BUNDLE,
    FLEET,
    ROOT_KEY,
    ROOT_PUBLIC,
    FleetCard,
    check_name,
    locked,
    store,
)
from broker.fleet.private import make_private
from broker.fleet.root import Root, open_root
from broker.wire.credentials import STORAGE_KEY_BYTES, DeviceCard
from broker.wire.keys import signing_key_name
from broker.wire.roster import Enrolled, Roster
from broker.wire.topics import DeviceId, FleetId, PoolId


@dataclass(frozen=True, slots=True)
class NewFleet:
    """What `init` made."""

    fleet: FleetId
    folder: Path
    root_key: Path  # the one file to keep safe


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What `enroll` made."""

    device: DeviceId
    pool: PoolId
    device_folder: Path  # for the device
    worker_folder: Path  # for the workers of its pool
    device_key: str  # hex name of the device's signing key
    roster_version: int
    new_pool: bool


def init(folder: Path, fleet: FleetId) -> NewFleet:
    """Make a fleet without pools and devices.

    Raises:
        FleetError: bad name, a fleet is there already, or the disk refused.
    """
    check_name("fleet", fleet)
    make_private(folder)
    with locked(folder):
        if (folder / FLEET).exists():
            raise FleetExistsError(
                f"{folder} holds a fleet already: use 'firstline fleet enroll', or another folder"
            )
        key = Ed25519PrivateKey.generate()
        root = Root(folder, fleet, key)
        store(folder / ROOT_KEY, key.private_bytes_raw().hex().encode())
        store(folder / ROOT_PUBLIC, key.public_key().public_bytes_raw().hex().encode())
        root.write_roster(Roster(fleet=fleet, version=1, devices={}))
        # Last: without it, a command that was cut short here is simply given again.
        store(folder / FLEET, FleetCard(fleet=fleet).write())
    return NewFleet(fleet, folder, folder / ROOT_KEY)


def enroll(folder: Path, device: DeviceId, pool: PoolId, *, now_s: float) -> Enrolment:
    """Add a device to a fleet, and its pool if that is new.

    Raises:
        FleetError: bad name, no fleet there, device already enrolled, or the disk refused.
    """
    check_name("device", device)
    new_pool = pools.add(folder, pool, now_s=now_s)
    with locked(folder):
        root = open_root(folder)
        roster = root.roster()
        if device in roster.devices:
            root.share_roster()  # repairs what a command that was cut short left behind
            raise AlreadyEnrolledError(
                f"{device} is enrolled already, and its folder is {_folder(folder, device)}: "
                "copy that, or choose another name"
            )
        key = Ed25519PrivateKey.generate()
        device_folder = _write_device(
            root, DeviceCard(fleet=root.fleet, device=device, pool=pool), key
        )
        version = root.write_roster(_with_device(roster, device, key))
        root.share_roster()
    return Enrolment(
        device=device,
        pool=pool,
        device_folder=device_folder,
        worker_folder=pools.worker_folder(folder, pool),
        device_key=signing_key_name(key.public_key()).hex(),
        roster_version=version,
        new_pool=new_pool,
    )


def _with_device(roster: Roster, device: DeviceId, key: Ed25519PrivateKey) -> Roster:
    enrolled = Enrolled(keys=(key.public_key().public_bytes_raw().hex(),))
    devices = {**roster.devices, device: enrolled}
    return Roster(fleet=roster.fleet, version=roster.version + 1, devices=devices)


def _write_device(root: Root, card: DeviceCard, key: Ed25519PrivateKey) -> Path:
    folder = _folder(root.folder, DeviceId(card.device))
    make_private(folder)
    bundle = pools.folder_of(root.folder, PoolId(card.pool)) / BUNDLE
    store(folder / "device.json", card.write())
    store(folder / "identity.key", key.private_bytes_raw().hex().encode())
    store(folder / "storage.key", os.urandom(STORAGE_KEY_BYTES).hex().encode())
    store(folder / ROOT_PUBLIC, (root.folder / ROOT_PUBLIC).read_bytes())
    store(folder / BUNDLE, bundle.read_bytes())
    return folder


def _folder(folder: Path, device: DeviceId) -> Path:
    return folder / "devices" / device
