"""The newest of everything signed that this board ever took, in a place of its own.

    STATE/update-floor.a  STATE/update-floor.b      HMAC-SHA256 (32 bytes) || JSON, both the same

TUF's client forgets what it saw when its folder is lost, or two of its files are zeroed by a power
cut, and then takes an older release. So what it took is noted here too, twice, each copy durable
before the next is touched: whichever single file is lost, cut short, zeroed or altered, the other
one holds. The seal shows damage; who has the whole card has its key as well.

A stolen online key can sign versions and dates far ahead, after which nothing true is new enough.
The cure is TUF's: new keys. Floors hold for the keys that they were seen with (`epoch`), and a
newer root with other online keys begins them anew.
"""

import hmac
import logging
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, field
from msgspec.structs import replace

from agent.update.errors import RefusedError
from broker.wire.document import Document
from broker.wire.files import sweep, write_durably

_log = logging.getLogger(__name__)

_SEAL_BYTES: Final = 32
_PURPOSE: Final = b"fl/v1 update floor"
_Number = Annotated[int, Meta(ge=0)]
_ROLES: Final = ("timestamp", "snapshot", "targets", "rollout")


class Chosen(Document, frozen=True):
    """The newest rollout of a group and a package."""

    number: _Number
    digest: str  # SHA-256 of its text, hex


class Seen(Document, frozen=True):
    """Versions, and the latest time that somebody signed."""

    root: _Number = 0
    epoch: str = ""  # which keys sign timestamps and snapshots
    timestamp: _Number = 0
    snapshot: _Number = 0
    targets: _Number = 0
    rollout: _Number = 0
    signed_s: _Number = 0  # Unix time
    choosers: str = ""  # which keys sign rollouts
    rollouts: dict[str, Chosen] = field(default_factory=dict)  # by target path
    count: _Number = 0  # of changes: the copy with more is the newer

    def then(self, offered: "Seen") -> "Seen":
        """The floor after `offered`, if that is nowhere below this one.

        Raises:
            RefusedError: it is.
        """
        if offered.root < self.root:
            raise RefusedError(f"root {offered.root} after {self.root}")
        if offered.epoch != self.epoch and offered.root == self.root:
            raise RefusedError(f"there are two roots of version {self.root}")
        if offered.epoch == self.epoch:
            for role in _ROLES:
                if getattr(offered, role) < getattr(self, role):
                    old, new = getattr(self, role), getattr(offered, role)
                    raise RefusedError(f"{role} {new} after {old}")
            if offered.signed_s < self.signed_s:
                raise RefusedError("a timestamp that was signed before the last one")
        kept = self.rollouts if offered.choosers == self.choosers else {}
        return replace(offered, rollouts=kept, count=self.count)

    def chose(self, path: str, offered: Chosen) -> "Seen":
        """The floor after a rollout, if that is not older than the last one.

        Raises:
            RefusedError: it is, or there are two of one number.
        """
        last = self.rollouts.get(path)
        if last is not None and offered.number < last.number:
            raise RefusedError(f"rollout {offered.number} after {last.number}")
        if last is not None and offered.number == last.number and offered != last:
            raise RefusedError(f"there are two rollouts of number {last.number}")
        return replace(self, rollouts={**self.rollouts, path: offered})


class Floor:
    """Where `Seen` is kept.

    Args:
        file: Path of both copies, without their endings.
        key: 32 bytes of the device's own.
    """

    def __init__(self, file: Path, key: bytes) -> None:
        self._copies = tuple(file.with_name(f"{file.name}.{ending}") for ending in "ab")
        self._key = hmac.digest(key, _PURPOSE, "sha256")
        sweep(file.parent, file.name)
        self.damaged = 0  # copies that were there and could not be read
        found = [self.read(path) for path in self._copies]
        self.seen = max(found, key=lambda seen: seen.count)
        if any(each != self.seen for each in found):
            self._write()  # what one copy has lost, the other one gives back

    def keep(self, seen: Seen) -> None:
        """Note a new floor; when this returns, the disk has it twice.

        Raises:
            OSError: the disk refused; what was noted before still holds.
        """
        if replace(seen, count=self.seen.count) != self.seen:
            self.seen = replace(seen, count=self.seen.count + 1)
            self._write()

    def _write(self) -> None:
        document = self.seen.write()
        sealed = self.seal(document) + document
        for path in self._copies:
            write_durably(path, sealed)

    def seal(self, document: bytes) -> bytes:
        """What stands before a document, 32 bytes."""
        return hmac.digest(self._key, document, "sha256")

    def read(self, path: Path) -> Seen:
        """What one copy says; nothing, if it is not there or damaged."""
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return Seen()
        seal, document = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        try:
            if hmac.compare_digest(seal, self.seal(document)):
                return Seen.read(document)
        except ValueError:
            pass
        self.damaged += 1
        _log.error("%s is damaged: the other copy counts", path)
        return Seen()
