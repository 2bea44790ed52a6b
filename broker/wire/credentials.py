"""The folders of keys that `firstline fleet` hands out, one to a device, one to a worker.

    device folder    device.json  identity.key  storage.key  root.pub  bundle.json
    worker folder    worker.json  epochs-*.json root.pub     bundle.json  roster.json

Keys are hexadecimal, one a file; `.json` of the root are signed documents.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from broker.wire import roster
from broker.wire.bundle import KeyBundle, open_bundle
from broker.wire.document import Document, Name
from broker.wire.epochs import PATTERN, read_chains
from broker.wire.errors import KeyFileError
from broker.wire.floor import Floor
from broker.wire.roster import Roster
from broker.wire.signed import open_signed
from broker.wire.topics import DeviceId, FleetId, PoolId

STORAGE_KEY_BYTES = 32
BUNDLE = "bundle.json"
DEVICE_CARD, WORKER_CARD = "device.json", "worker.json"
IDENTITY_KEY, STORAGE_KEY, ROOT_PUBLIC = "identity.key", "storage.key", "root.pub"
ROSTER = "roster.json"
_MAKE_IT = (
    "Make it with 'firstline join' or 'firstline fleet enroll --folder' (a device), "
    "'firstline fleet init' (a worker), then copy the whole folder"
)


class DeviceCard(Document, frozen=True):
    """`device.json`: who this device is."""

    fleet: Name
    device: Name
    pool: Name


class WorkerCard(Document, frozen=True):
    """`worker.json`: which pool this folder serves."""

    fleet: Name
    pool: Name


@dataclass(frozen=True, slots=True)
class DeviceCredentials:
    """All that a device needs in order to ask."""

    fleet: FleetId
    device: DeviceId
    pool: PoolId
    signing_key: Ed25519PrivateKey = field(repr=False)
    storage_key: bytes = field(repr=False)  # 32 bytes: seals what the device keeps on disk
    root: Ed25519PublicKey
    bundle: KeyBundle = field(repr=False)  # public, and long
    wrapped_bundle: bytes = field(repr=False)  # as the root signed it


@dataclass(frozen=True, slots=True)
class WorkerCredentials:
    """All that a worker needs in order to answer."""

    fleet: FleetId
    pool: PoolId
    roster: Roster
    folder: Path  # where its keys lie, and vanish as time goes on: see `epochs`


def load_device(folder: Path) -> DeviceCredentials:
    """Read a device folder.

    Raises:
        KeyFileError: a file is missing, altered, or of another fleet.
    """
    card = _parse(DeviceCard, folder / DEVICE_CARD)
    root = _root(folder)
    wrapped = read(folder / BUNDLE)
    keys, _ = open_bundle(wrapped, root)
    check_pool(keys, FleetId(card.fleet), PoolId(card.pool), folder / BUNDLE)
    return DeviceCredentials(
        fleet=FleetId(card.fleet),
        device=DeviceId(card.device),
        pool=PoolId(card.pool),
        signing_key=Ed25519PrivateKey.from_private_bytes(_key(folder / IDENTITY_KEY)),
        storage_key=_key(folder / STORAGE_KEY),
        root=root,
        bundle=keys,
        wrapped_bundle=wrapped,
    )


def load_worker(folder: Path) -> WorkerCredentials:
    """Read a worker folder.

    Raises:
        KeyFileError: a file is missing, altered, or of another fleet.
    """
    card = _parse(WorkerCard, folder / WORKER_CARD)
    devices = load_roster(folder)
    read_bundle(folder)
    if not read_chains(folder):
        raise KeyFileError(f"{folder}: no {PATTERN}. {_MAKE_IT}")
    return WorkerCredentials(
        fleet=FleetId(card.fleet),
        pool=PoolId(card.pool),
        roster=devices,
        folder=folder,
    )


def read_bundle(folder: Path) -> tuple[KeyBundle, Floor]:
    """Read a worker folder's key bundle; it changes while the worker runs.

    Raises:
        KeyFileError: missing, altered, or of another pool.
    """
    card = _parse(WorkerCard, folder / WORKER_CARD)
    found, document = open_bundle(read(folder / BUNDLE), _root(folder))
    check_pool(found, FleetId(card.fleet), PoolId(card.pool), folder / BUNDLE)
    return found, Floor.of(found.version, document)


def check_pool(bundle: KeyBundle, fleet: FleetId, pool: PoolId, where: object) -> None:
    """Refuse a bundle that is not this pool's.

    Raises:
        KeyFileError: it is not.
    """
    if (bundle.fleet, bundle.pool) != (fleet, pool):
        raise KeyFileError(f"{where} is the bundle of another pool")


def load_roster(folder: Path) -> Roster:
    """Read a worker folder's roster.

    Raises:
        KeyFileError: missing, altered, or of another fleet.
    """
    return read_roster(folder)[0]


def read_roster(folder: Path) -> tuple[Roster, Floor]:
    """Read a worker folder's roster and its version; it changes while the worker runs.

    Raises:
        KeyFileError: missing, altered, or of another fleet.
    """
    card = _parse(WorkerCard, folder / WORKER_CARD)
    document = open_signed(roster.LABEL, read(folder / ROSTER), _root(folder))
    devices = Roster.parse(document)
    if devices.fleet != card.fleet:
        raise KeyFileError(f"{folder / 'roster.json'} is the roster of another fleet")
    return devices, Floor.of(devices.version, document)


def read(path: Path) -> bytes:
    """Read a file of keys.

    Raises:
        KeyFileError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}. {_MAKE_IT}") from error


_Model = TypeVar("_Model", bound=Document)


def _parse(model: type[_Model], path: Path) -> _Model:
    try:
        return model.read(read(path))
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None


def _root(folder: Path) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_key(folder / ROOT_PUBLIC))


def _key(path: Path) -> bytes:
    key = _unhex(read(path).decode("ascii", "replace").strip(), path)
    if len(key) != STORAGE_KEY_BYTES:  # Ed25519 keys have the same length
        raise KeyFileError(f"{path}: not a key of {STORAGE_KEY_BYTES} bytes")
    return key


def _unhex(text: str, path: Path) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise KeyFileError(f"{path}: not hexadecimal") from None
