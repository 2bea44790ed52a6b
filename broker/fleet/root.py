"""The fleet's root: the one key that signs rosters and key bundles, and stays offline.

Beside it lies the authority for TLS, under the same passphrase: see `authority.py`.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from broker.fleet.authority import open_authority
from broker.fleet.certificates import Authority
from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import FLEET, ROOT_KEY, FleetCard, store
from broker.fleet.passphrase import is_locked, unlock
from broker.wire import roster as rosters
from broker.wire.credentials import ROOT_PUBLIC, ROSTER
from broker.wire.errors import KeyFileError
from broker.wire.roster import Roster
from broker.wire.signed import open_signed, sign
from broker.wire.topics import FleetId


@dataclass(frozen=True, slots=True)
class Root:
    """An opened fleet folder."""

    folder: Path
    fleet: FleetId
    key: Ed25519PrivateKey = field(repr=False)
    passphrase: str | None = field(repr=False, default=None)

    def authority(self) -> Authority:
        """The fleet's authority for TLS.

        Raises:
            NotAFleetError: a file of it is missing or damaged.
        """
        return open_authority(self.folder, self.passphrase)

    def sign(self, label: str, document: str) -> bytes:
        """Wrap a document with the root's signature."""
        return sign(label, document, self.key)

    def roster(self) -> Roster:
        """The fleet's devices.

        Raises:
            NotAFleetError: the roster is missing or altered.
        """
        return _roster(self.folder, self.key.public_key())

    def write_roster(self, roster: Roster) -> int:
        """Sign and store the roster; return its version."""
        store(self.folder / ROSTER, self.sign(rosters.LABEL, roster.write().decode()))
        return roster.version

    def share_roster(self) -> None:
        """Give every worker folder the roster of now. A running worker sees the new file."""
        content = _read(self.folder / ROSTER)
        for path in sorted(self.folder.glob(f"workers/*/{ROSTER}")):
            if path.read_bytes() != content:
                store(path, content)


def wants_passphrase(folder: Path) -> bool:
    """Whether a fleet's keys are locked.

    Raises:
        NotAFleetError: there is no fleet.
    """
    _read(folder / FLEET)  # or there is none
    return is_locked(_read(folder / ROOT_KEY))


def open_root(folder: Path, passphrase: str | None = None) -> Root:
    """Open a fleet folder.

    Raises:
        PassphraseError: it is locked, and this passphrase, or none, does not open it.
        NotAFleetError: there is none, or a file of it cannot be used.
    """
    try:
        card = FleetCard.read(_read(folder / FLEET))
        secret = unlock(ROOT_KEY, _read(folder / ROOT_KEY), passphrase)
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret.decode("ascii", "replace")))
        return Root(folder, FleetId(card.fleet), key, passphrase)
    except ValueError as error:
        raise NotAFleetError(f"{folder}: its keys are damaged; restore a backup") from error


def read_public(folder: Path) -> Ed25519PublicKey:
    """What proves the root's signatures.

    Raises:
        NotAFleetError: there is no fleet, or the file is damaged.
    """
    path = folder / ROOT_PUBLIC
    try:
        public = bytes.fromhex(_read(path).decode("ascii", "replace"))
        return Ed25519PublicKey.from_public_bytes(public)
    except ValueError as error:
        raise NotAFleetError(f"{path}: damaged; restore a backup") from error


def read_roster(folder: Path) -> Roster:
    """The devices of a fleet, for who has no passphrase.

    Raises:
        NotAFleetError: there is none, or its roster is missing or altered.
    """
    return _roster(folder, read_public(folder))


def _roster(folder: Path, root: Ed25519PublicKey) -> Roster:
    path = folder / ROSTER
    try:
        return Roster.parse(open_signed(rosters.LABEL, _read(path), root))
    except KeyFileError as error:
        raise NotAFleetError(f"{path}: {error}. Restore it from a backup") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotAFleetError(
            f"{path}: {error.strerror}. Make a fleet with 'firstline fleet init DIR', "
            "or name the folder of one"
        ) from error
