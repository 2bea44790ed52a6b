"""A pool's private keys: read when the operator changes them, deleted when their epoch is over.

What is deleted does not come back, so a clock is believed only when it has run evenly for a while.
Until then, what may be over is opened with all the same.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from broker.wire.credentials import BUNDLE, WorkerCredentials, read_bundle
from broker.wire.epochs import PATTERN, open_epochs
from broker.wire.errors import KeyFileError
from broker.wire.keys import PoolPrivateKey
from cloud_worker.floor_file import FloorFile

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DELETED = "epochs_deleted"
UNDELETED = "epochs_undeleted"
REFUSED = "bundles_refused"
UNREADABLE = "keys_unreadable"
JUMPS = "clock_jumps"

_log = logging.getLogger(__name__)
_NEVER_S = 0.0  # a time at which nothing is over
_JUMP_S = 60.0  # less is a clock that is made right
_AGAIN_S = 60.0  # between two tries to delete what the disk keeps
_Stamp = tuple[tuple[str, int, int], ...]  # name, inode, modification time in ns


class PoolKeys:
    """What opens the questions of now. Use from one thread.

    Args:
        credentials: The worker's.
        proof_s: For how long the clock must have run evenly before anything is deleted by it.
        steady_s: Seconds that nobody sets.

    Raises:
        KeyFileError: its bundle is older than one that was here before, or cannot be used.
    """

    def __init__(
        self,
        credentials: WorkerCredentials,
        *,
        proof_s: float,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._folder = credentials.folder
        self._floor = FloorFile(self._folder / "bundle.floor")
        self._bundle, floor = read_bundle(self._folder)
        self._floor.rise("key bundle", floor)
        self._keys: Mapping[bytes, PoolPrivateKey] = {}
        self.notice_key: Ed25519PrivateKey | None = None  # for what is sealed to none of them
        self.ends_s = 0.0  # Unix time: until then devices seal to one of them
        self._due_s = 0.0  # Unix time
        self._stamp: _Stamp = ()
        self._proof_s, self._steady_s = proof_s, steady_s
        self._even_since_s = self._looked_s = steady_s()
        self._told_s: float | None = None  # by the clock, when we looked last
        self._open(_NEVER_S)

    def at(self, now_s: float) -> Mapping[bytes, PoolPrivateKey]:
        """The keys that are not over, by their names."""
        if self._is_proven(now_s) and now_s >= self._due_s:
            self._open(now_s)
        return self._keys

    def refresh(self, now_s: float) -> None:
        """Look whether the operator has changed something, and delete what is over."""
        if self._stamp_now() != self._stamp:
            self._read_bundle()
            self._open(now_s if self._is_proven(now_s) else _NEVER_S)
        else:
            self.at(now_s)

    def _is_proven(self, now_s: float) -> bool:
        steady_s = self._steady_s()
        expected_s = now_s if self._told_s is None else self._told_s + steady_s - self._looked_s
        if abs(now_s - expected_s) > _JUMP_S:
            self._even_since_s = steady_s
            self.counters[JUMPS] += 1
            _log.warning(
                "the clock was set by %+.0f s: no key is deleted by it for %.0f s",
                now_s - expected_s,
                self._proof_s,
            )
        self._told_s, self._looked_s = now_s, steady_s
        return steady_s - self._even_since_s >= self._proof_s

    def _read_bundle(self) -> None:
        try:
            bundle, floor = read_bundle(self._folder)
            self._floor.rise("key bundle", floor)
        except KeyFileError as error:
            self.counters[REFUSED] += 1
            _log.warning("the old key bundle stays: %s", error)
            return
        if bundle.version != self._bundle.version:
            _log.info("key bundle version %d", bundle.version)
        self._bundle = bundle

    def _open(self, now_s: float) -> None:
        try:
            opened = open_epochs(self._folder, self._bundle, now_s=now_s)
        except KeyFileError as error:
            self.counters[UNREADABLE] += 1
            _log.error("the old keys stay: %s", error)
            self._stamp = self._stamp_now()
            return
        self._keys, self._due_s = opened.keys, opened.due_s
        self.notice_key = opened.notice_key
        ours = (key for key in self._bundle.keys if key.name in self._keys)
        self.ends_s = max((float(key.not_after_s) for key in ours), default=0.0)
        self._stamp = self._stamp_now()  # after it: what we have deleted is no news
        self.counters[DELETED] += opened.deleted
        if opened.deleted:
            _log.info("%d epochs are over, their private keys deleted", opened.deleted)
        if opened.undeleted:
            self._due_s = now_s + _AGAIN_S
            self.counters[UNDELETED] += opened.undeleted
            _log.error(
                "%s: the private keys of %d epochs that are over cannot be deleted",
                self._folder,
                opened.undeleted,
            )
        if not opened.keys:
            _log.error("%s holds no key that is not over: nothing can be answered", self._folder)

    def _stamp_now(self) -> _Stamp:
        found = []
        for path in (self._folder / BUNDLE, *sorted(self._folder.glob(PATTERN))):
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((path.name, status.st_ino, status.st_mtime_ns))
        return tuple(found)
