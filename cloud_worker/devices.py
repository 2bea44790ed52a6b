"""Who may ask: the roster in the worker's folder, read again when the operator changes it."""

import logging
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker.wire.credentials import load_roster
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.topics import DeviceId

_log = logging.getLogger(__name__)
_Stamp = tuple[int, int, int]  # inode, bytes, modification time in ns


class Devices:
    """The devices of a fleet, with their keys parsed once.

    Args:
        folder: The worker's folder of keys.

    Raises:
        KeyFileError: it holds no usable roster.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = self._stamp_now()
        self._roster = load_roster(folder)
        self._keys: dict[tuple[DeviceId, bytes], Ed25519PublicKey] = {}

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

        A roster that is damaged, or older than ours, is not taken.
        """
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return False
        self._stamp = stamp  # also of a bad file: it is read and told once, not at every question
        try:
            roster = load_roster(self._folder)
        except KeyFileError as error:
            _log.warning("the old roster stays: %s", error)
            return False
        if roster.version < self._roster.version:
            _log.warning(
                "the old roster stays: version %d came after %d",
                roster.version,
                self._roster.version,
            )
            return False
        self._roster = roster
        self._keys.clear()
        _log.info("roster version %d: %d devices", roster.version, len(roster.devices))
        return True

    def _stamp_now(self) -> _Stamp:
        try:
            status = (self._folder / "roster.json").stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_ino, status.st_size, status.st_mtime_ns)
