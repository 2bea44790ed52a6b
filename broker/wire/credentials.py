"""The folders of keys that `firstline fleet` hands out, one to a device, one to a worker.

    device folder    device.json  identity.key  storage.key  root.pub  bundle.json
    worker folder    worker.json  pool.json     root.pub     roster.json

Keys are hexadecimal, one a file; `.json` of the root are signed documents.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from msgspec import Meta

from broker.wire import bundle, roster
from broker.wire.bundle import KeyBundle
from broker.wire.document import Document, Name
from broker.wire.errors import KeyFileError
from broker.wire.keys import PoolPrivateKey, Suite, supported_suites
from broker.wire.roster import Roster
from broker.wire.signed import open_signed
from broker.wire.topics import DeviceId, FleetId, PoolId

STORAGE_KEY_BYTES = 32


class DeviceCard(Document, frozen=True):
    """`device.json`: who this device is."""

    fleet: Name
    device: Name
    pool: Name


class WorkerCard(Document, frozen=True):
    """`worker.json`: which pool this folder serves."""

    fleet: Name
    pool: Name


class StoredKey(Document, frozen=True):
    """One private key in `pool.json`."""

    suite: Suite
    private: str  # hex

    def __repr__(self) -> str:
        return f"StoredKey({self.suite.name}, ...)"


class PoolKeys(Document, frozen=True):
    """`pool.json`: the private keys of a pool."""

    keys: Annotated[tuple[StoredKey, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class DeviceCredentials:
    """All that a device needs in order to ask."""

    fleet: FleetId
    device: DeviceId
    pool: PoolId
    signing_key: Ed25519PrivateKey = field(repr=False)
    storage_key: bytes = field(repr=False)  # 32 bytes: seals what the device keeps on disk
    bundle: KeyBundle


@dataclass(frozen=True, slots=True)
class WorkerCredentials:
    """All that a worker needs in order to answer."""

    fleet: FleetId
    pool: PoolId
    keys: dict[bytes, PoolPrivateKey] = field(repr=False)  # by key name
    roster: Roster


def load_device(folder: Path) -> DeviceCredentials:
    """Read a device folder.

    Raises:
        KeyFileError: a file is missing, altered, or of another fleet.
    """
    card = _parse(DeviceCard, folder / "device.json")
    root = _root(folder)
    document = open_signed(bundle.LABEL, read(folder / "bundle.json"), root)
    keys = KeyBundle.parse(document)
    if (keys.fleet, keys.pool) != (card.fleet, card.pool):
        raise KeyFileError(f"{folder / 'bundle.json'} is the bundle of another pool")
    return DeviceCredentials(
        fleet=FleetId(card.fleet),
        device=DeviceId(card.device),
        pool=PoolId(card.pool),
        signing_key=Ed25519PrivateKey.from_private_bytes(_key(folder / "identity.key")),
        storage_key=_key(folder / "storage.key"),
        bundle=keys,
    )


def load_worker(folder: Path) -> WorkerCredentials:
    """Read a worker folder.

    Raises:
        KeyFileError: a file is missing, altered, or of another fleet.
    """
    card = _parse(WorkerCard, folder / "worker.json")
    suites = supported_suites()  # where ML-KEM is missing, a worker serves suite 1 alone
    keys = [
        PoolPrivateKey.from_bytes(key.suite, _unhex(key.private, folder / "pool.json"))
        for key in _parse(PoolKeys, folder / "pool.json").keys
        if key.suite in suites
    ]
    return WorkerCredentials(
        fleet=FleetId(card.fleet),
        pool=PoolId(card.pool),
        keys={key.name: key for key in keys},
        roster=load_roster(folder),
    )


def load_roster(folder: Path) -> Roster:
    """Read a worker folder's roster; it changes while the worker runs.

    Raises:
        KeyFileError: missing, altered, or of another fleet.
    """
    card = _parse(WorkerCard, folder / "worker.json")
    document = open_signed(roster.LABEL, read(folder / "roster.json"), _root(folder))
    devices = Roster.parse(document)
    if devices.fleet != card.fleet:
        raise KeyFileError(f"{folder / 'roster.json'} is the roster of another fleet")
    return devices


def read(path: Path) -> bytes:
    """Read a file of keys.

    Raises:
        KeyFileError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"{path}: {error.strerror}. Make it with 'firstline fleet init' and "
            "'firstline fleet enroll', then copy the whole folder"
        ) from error


_Model = TypeVar("_Model", bound=Document)


def _parse(model: type[_Model], path: Path) -> _Model:
    try:
        return model.read(read(path))
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None


def _root(folder: Path) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_key(folder / "root.pub"))


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
