"""Make a fleet, and enrol its devices.

    init   -> root key, authority for TLS, empty roster
    enroll -> the pool's keys if it is new, the device's folder, a roster of one version more

`admission.py` enrols boards that make their keys themselves.

The roster is the truth: a device is enrolled when the signed roster says so. Its folder is written
before that, so a command that was cut short can simply be given again.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet import authority, devices, pools
from broker.fleet.authority import write_client
from broker.fleet.certificates import LOCAL_HOSTS
from broker.fleet.devices import Record
from broker.fleet.errors import AlreadyEnrolledError, FleetExistsError
from broker.fleet.folder import FLEET, ROOT_KEY, FleetCard, check_name, locked, store
from broker.fleet.handing import pool_folder
from broker.fleet.passphrase import lock
from broker.fleet.private import make_private
from broker.fleet.root import Root, open_root
from broker.wire.credentials import (
    BUNDLE,
    DEVICE_CARD,
    IDENTITY_KEY,
    ROOT_PUBLIC,
    STORAGE_KEY,
    STORAGE_KEY_BYTES,
    DeviceCard,
)
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


def init(
    folder: Path,
    fleet: FleetId,
    *,
    hosts: tuple[str, ...] = LOCAL_HOSTS,
    passphrase: str | None = None,
) -> NewFleet:
    """Make a fleet without pools and devices, whose broker is reached at `hosts`.

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
        root = Root(folder, fleet, key, passphrase)
        authority.create(folder, fleet, hosts=hosts, passphrase=passphrase)
        secret = key.private_bytes_raw().hex().encode()
        store(folder / ROOT_KEY, lock(ROOT_KEY, secret, passphrase))
        store(folder / ROOT_PUBLIC, key.public_key().public_bytes_raw().hex().encode())
        root.write_roster(Roster(fleet=fleet, version=1, devices={}))
        # Last: without it, a command that was cut short here is simply given again.
        store(folder / FLEET, FleetCard(fleet=fleet).write())
    return NewFleet(fleet, folder, folder / ROOT_KEY)


def enroll(
    folder: Path,
    device: DeviceId,
    pool: PoolId,
    *,
    now_s: float,
    passphrase: str | None = None,
) -> Enrolment:
    """Make a device's keys here, add it to a fleet, and its pool if that is new.

    Raises:
        FleetError: bad name, no fleet there, device already enrolled, or the disk refused.
    """
    check_name("device", device)
    new_pool = pools.add(folder, pool, now_s=now_s, passphrase=passphrase)
    root = open_root(folder, passphrase)
    with locked(folder):
        roster = root.roster()
        if device in roster.devices:
            root.share_roster()  # repairs what a command that was cut short left behind
            there = devices.folder_of(folder, device)
            raise AlreadyEnrolledError(
                f"{device} is enrolled already, and its folder is {there}: "
                "copy that, or choose another name"
            )
        key = Ed25519PrivateKey.generate()
        device_folder = _write_device(
            root, DeviceCard(fleet=root.fleet, device=device, pool=pool), key
        )
        end_s = write_client(root.authority(), device_folder, device, now_s=now_s)
        devices.record(
            folder, device, Record(pool=pool, since_s=int(now_s), certificate_end_s=end_s)
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
    everybody = {**roster.devices, device: enrolled}
    return Roster(fleet=roster.fleet, version=roster.version + 1, devices=everybody)


def _write_device(root: Root, card: DeviceCard, key: Ed25519PrivateKey) -> Path:
    folder = devices.folder_of(root.folder, DeviceId(card.device))
    make_private(folder)
    bundle = pool_folder(root.folder, PoolId(card.pool)) / BUNDLE
    store(folder / DEVICE_CARD, card.write())
    store(folder / IDENTITY_KEY, key.private_bytes_raw().hex().encode())
    store(folder / STORAGE_KEY, os.urandom(STORAGE_KEY_BYTES).hex().encode())
    store(folder / ROOT_PUBLIC, (root.folder / ROOT_PUBLIC).read_bytes())
    store(folder / BUNDLE, bundle.read_bytes())
    return folder
