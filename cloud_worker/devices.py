"""Who may ask: the roster in the worker's folder, read again when the operator changes it."""

import logging
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker.wire.credentials import ROSTER, read_roster
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.topics import DeviceId
from cloud_worker.floor_file import FloorFile

_log = logging.getLogger(__name__)
_Stamp = tuple[int, int, int]  # inode, bytes, modification time in ns


class Devices:
    """The devices of a fleet, with their keys parsed once.

    Args:
        folder: The worker's folder of keys.

    Raises:
        KeyFileError: it holds no usable roster, or one that is older than the newest seen.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = self._stamp_now()
        self._roster, floor = read_roster(folder)
        self._floor = FloorFile(folder / "roster.floor")
        self._floor.rise("roster", floor)
        self._keys: dict[tuple[DeviceId, bytes], Ed25519PublicKey] = {}
        self.refused = 0  # rosters

    def signing_key(self, device: DeviceId, name: bytes) -> Ed25519PublicKey:
        """The key with which an enrolled device signs.

        Raises:
            EnvelopeError: unknown or revoked device, or not a key of it.
        """
        known = self._keys.get((device, name))
        if known is not None:
            return known
        try:
            key = self._roster.signing_key(device, name)
        except EnvelopeError:
            if not self.refresh():  # it may have been enrolled a moment ago
                raise
            key = self._roster.signing_key(device, name)
        self._keys[device, name] = key
        return key

    def refresh(self) -> bool:
        """Read the roster again if its file has changed; whether it had.

        A roster that is damaged, or older than the newest that was ever here, is not taken.
        """
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return False
        self._stamp = stamp  # also of a bad file: it is read and told once, not at every question
        try:
            roster, floor = read_roster(self._folder)
            self._floor.rise("roster", floor)
        except KeyFileError as error:
            self.refused += 1
            _log.warning("the old roster stays: %s", error)
            return False
        self._roster = roster
        self._keys.clear()
        _log.info("roster version %d: %d devices", roster.version, len(roster.devices))
        return True

    def _stamp_now(self) -> _Stamp:
        try:
            status = (self._folder / ROSTER).stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_ino, status.st_size, status.st_mtime_ns)
