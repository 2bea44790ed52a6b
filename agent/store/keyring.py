"""The pool's public keys that this device may seal to, over restarts.

    keys/bundle.json       what the operator gave with the device
    state/bundle.json      the newest that ever came, from the folder or from the broker

The newest counts, and nothing older is taken any more: a bundle that is never renewed expires.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from broker.wire.bundle import KeyBundle, open_bundle
from broker.wire.credentials import DeviceCredentials, check_pool
from broker.wire.errors import KeyFileError
from broker.wire.files import write_durably
from broker.wire.floor import Floor
from broker.wire.keys import PoolPublicKey, Suite

_log = logging.getLogger(__name__)


class Keyring:
    """Chooses the key of now. Use from one thread.

    Args:
        credentials: The device's, with the bundle that it was given.
        suites: That this machine can do, best first.
        file: Where the newest bundle is kept; made if missing.
    """

    def __init__(
        self, credentials: DeviceCredentials, *, suites: tuple[Suite, ...], file: Path
    ) -> None:
        self._credentials, self._suites, self._file = credentials, suites, file
        self._newest = newest(credentials, file)
        self._present: _Present | None = None
        if self._newest.wrapped is credentials.wrapped_bundle:
            self._keep()  # so that an older one in that folder is known to be older

    @property
    def bundle(self) -> KeyBundle:
        """The newest."""
        return self._newest.bundle

    @property
    def made_s(self) -> int:
        """No clock that is right is before this."""
        return self._newest.made_s

    def take(self, wrapped: bytes) -> bool:
        """Take a signed bundle, if it is newer; False: it is the one that we have.

        Raises:
            KeyFileError: not signed by our root, of another pool, older, or another of one version.
        """
        if wrapped == self._newest.wrapped:  # as after every reconnect: the broker retains it
            return False
        offered = _opened(self._credentials, wrapped)
        self._newest.floor.check("key bundle", offered.floor)
        if offered.floor == self._newest.floor:
            return False
        self._newest, self._present = offered, None
        self._keep()
        _log.info("key bundle version %d", offered.bundle.version)
        return True

    def best_key(self, now_s: float) -> PoolPublicKey:
        """The key to seal to now.

        Raises:
            KeyFileError: none is valid.
        """
        present = self._present
        if present is None or not present.start_s <= now_s < present.end_s:
            present = self._present = _present(self.bundle, self._suites, now_s)
        return present.key

    def opens(self, name: bytes, now_s: float) -> bool:
        """Whether a worker still opens what is sealed to a key."""
        return now_s < self._newest.opens_until_s.get(name, 0)

    def _keep(self) -> None:
        try:
            write_durably(self._file, self._newest.wrapped)
        except OSError as error:  # until the next start it holds all the same
            _log.error("%s: %s: the new key bundle is not kept", self._file, error.strerror)


@dataclass(frozen=True, slots=True)
class Held:
    """A bundle as the root signed it."""

    bundle: KeyBundle = field(repr=False)
    wrapped: bytes = field(repr=False)
    floor: Floor
    made_s: int  # Unix time, seconds: the first key's begin
    opens_until_s: dict[bytes, int] = field(repr=False)  # by key name


@dataclass(frozen=True, slots=True)
class _Present:
    """The best key, and between which times it is that."""

    key: PoolPublicKey
    start_s: int  # Unix time, seconds
    end_s: int  # Unix time, seconds


def _present(bundle: KeyBundle, suites: tuple[Suite, ...], now_s: float) -> _Present:
    key = bundle.best_key(suites, now_s)
    changes_s = {change_s for each in bundle.keys for change_s in each.life_s}
    start_s = max(change_s for change_s in changes_s if change_s <= now_s)
    end_s = min(change_s for change_s in changes_s if change_s > now_s)
    return _Present(key, start_s, end_s)


def newest(credentials: DeviceCredentials, file: Path) -> Held:
    """The newest bundle that this device ever had; the device folder's if there is no other.

    Raises:
        KeyFileError: the device folder's is of another pool.
    """
    given = _opened(credentials, credentials.wrapped_bundle)
    try:
        kept = _opened(credentials, file.read_bytes())
    except FileNotFoundError:
        return given
    except (OSError, KeyFileError) as error:
        _log.error("%s is not used: %s", file, error)
        return given
    return kept if kept.floor.version >= given.floor.version else given


def _opened(credentials: DeviceCredentials, wrapped: bytes) -> Held:
    bundle, document = open_bundle(wrapped, credentials.root)
    check_pool(bundle, credentials.fleet, credentials.pool, "this")
    floor = Floor.of(bundle.version, document)
    return Held(bundle, wrapped, floor, bundle.made_s, bundle.names())
