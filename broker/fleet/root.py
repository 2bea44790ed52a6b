"""The fleet's root: the one key that signs rosters and key bundles, and stays offline."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import FLEET, ROOT_KEY, ROSTER, FleetCard, store
from broker.wire import roster as rosters
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

    def sign(self, label: str, document: str) -> bytes:
        """Wrap a document with the root's signature."""
        return sign(label, document, self.key)

    def roster(self) -> Roster:
        """The fleet's devices.

        Raises:
            NotAFleetError: the roster is missing or altered.
        """
        path = self.folder / ROSTER
        try:
            return Roster.parse(open_signed(rosters.LABEL, _read(path), self.key.public_key()))
        except KeyFileError as error:
            raise NotAFleetError(f"{path}: {error}. Restore it from a backup") from error

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


def open_root(folder: Path) -> Root:
    """Open a fleet folder.

    Raises:
        NotAFleetError: there is none, or a file of it cannot be used.
    """
    try:
        card = FleetCard.read(_read(folder / FLEET))
        private = bytes.fromhex(_read(folder / ROOT_KEY).decode("ascii", "replace"))
        return Root(folder, FleetId(card.fleet), Ed25519PrivateKey.from_private_bytes(private))
    except ValueError as error:
        raise NotAFleetError(f"{folder}: its keys are damaged; restore a backup") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotAFleetError(
            f"{path}: {error.strerror}. Make a fleet with 'firstline fleet init DIR', "
            "or name the folder of one"
        ) from error
