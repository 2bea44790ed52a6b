"""Signs new metadata and puts it in force, or leaves it for others to sign.

    new root      signed by the old keys and its own     then everything online is signed anew
    new targets   signed by enough people                then pinned and dated
    rollouts      signed by the online key               then pinned and dated

The timestamp is written last: see `shelf`. Whoever uses this has the fleet locked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root, Snapshot, T, Targets, Timestamp

from broker.fleet.errors import FleetError, NotAFleetError
from broker.fleet.releases import metadata as made
from broker.fleet.releases.keys import OFFLINE, ONLINE, make_key
from broker.fleet.releases.metadata import dump, renewed, signed_s
from broker.fleet.releases.shelf import Shelf
from broker.fleet.releases.signing import Delegator, missing, place_of, sign_here
from broker.wire.vouched import ROLLOUT


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a change that offline keys sign."""

    role: str
    version: int
    missing: int = 0  # signatures of other people; then nothing is in force yet
    draft: Path | None = None  # what they sign


class Press:
    """What signs and publishes.

    Args:
        shelf: Where metadata lies.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def begin(self, keys: Mapping[str, Key], *, passphrase: str | None, now_s: float) -> None:
        """Put the first metadata in force.

        Args:
            keys: One for each role.
            passphrase: Of the offline ones.
            now_s: Unix time.
        """
        first = made.first_root({role: keys[role] for role in keys if role != ROLLOUT}, now_s=now_s)
        self.sign(Root.type, first, (first.signed,), passphrase)
        self._keep(Root.type, first, (first.signed,))
        targets = made.first_targets(keys[ROLLOUT], now_s=now_s)
        self.sign(Targets.type, targets, (first.signed,), passphrase)
        self._keep(Targets.type, targets, (first.signed,))
        self.put_rollouts(targets, made.first_rollout(now_s=now_s), now_s=now_s)

    def sign(
        self,
        role: str,
        metadata: Metadata[T],
        delegators: tuple[Delegator, ...],
        passphrase: str | None = None,
    ) -> None:
        """Add the signatures of the keys that lie here.

        Raises:
            PassphraseError: one is locked, and this passphrase, or none, does not open it.
        """
        sign_here(metadata, role, delegators, folder=self._shelf.folder, passphrase=passphrase)

    def put_rollouts(
        self, targets: Metadata[Targets], new: Metadata[Targets], *, now_s: float
    ) -> None:
        """Sign new rollouts and put them in force, beside targets that are."""
        self._put_online(ROLLOUT, new, targets.signed)
        self.publish(targets, new, now_s=now_s)

    def put_root(self, new: Metadata[Root], *, passphrase: str | None, now_s: float) -> Step:
        """Sign a new root, and put it in force if its own keys and those before have signed."""
        self.sign(Root.type, new, (self._shelf.root().signed, new.signed), passphrase)
        return self.enact_root(new, now_s=now_s)

    def enact_root(self, new: Metadata[Root], *, now_s: float) -> Step:
        """Put a root in force, or note what signatures it lacks."""
        step = self._keep(Root.type, new, (self._shelf.root().signed, new.signed))
        if not step.missing:  # it may name other online keys
            self.publish(self._shelf.targets(), self._shelf.rollouts(), now_s=now_s)
        return step

    def put_targets(self, new: Metadata[Targets], *, passphrase: str | None, now_s: float) -> Step:
        """Sign new targets, and put them in force if enough people have signed."""
        self.sign(Targets.type, new, (self._shelf.root().signed,), passphrase)
        return self.enact_targets(new, now_s=now_s)

    def enact_targets(self, new: Metadata[Targets], *, now_s: float) -> Step:
        """Put targets in force, or note what signatures they lack."""
        step = self._keep(Targets.type, new, (self._shelf.root().signed,))
        if not step.missing:
            rollouts = self._shelf.rollouts()
            if missing(rollouts, ROLLOUT, (new.signed,)):  # another key chooses from now on
                rollouts = renewed(rollouts, ROLLOUT, now_s=now_s)
                self._put_online(ROLLOUT, rollouts, new.signed)
            self.publish(new, rollouts, now_s=now_s)
        return step

    def publish(
        self, targets: Metadata[Targets], rollouts: Metadata[Targets], *, now_s: float
    ) -> None:
        """Pin what names targets, and date it: never back, as a clock may go."""
        root, version, dated = self._shelf.root(), 1, 1
        if self._shelf.dated:
            timestamp = self._shelf.timestamp()
            version = timestamp.signed.snapshot_meta.version + 1
            dated, now_s = timestamp.signed.version + 1, max(now_s, signed_s(timestamp))
        pinned = {
            role: (each.signed.version, dump(each))
            for role, each in {Targets.type: targets, ROLLOUT: rollouts}.items()
        }
        snapshot = made.snapshot_of(pinned, version, now_s=now_s)
        self._put_online(Snapshot.type, snapshot, root.signed)
        timestamp = made.timestamp_of(snapshot, dump(snapshot), dated, now_s=now_s)
        self._put_online(Timestamp.type, timestamp, root.signed)

    def make_key(self, role: str, passphrase: str | None) -> Key:
        """Make a key for a role; it signs nothing until metadata says so."""
        place = place_of(role)
        lock_with = passphrase if place == OFFLINE else None
        return make_key(self._shelf.folder / place, role, lock_with)

    def _put_online(self, role: str, metadata: Metadata[T], delegator: Delegator) -> None:
        self.sign(role, metadata, (delegator,))
        if self._keep(role, metadata, (delegator,)).missing:
            raise NotAFleetError(
                f"{self._shelf.folder / ONLINE}: a key of {role!r} is missing: restore it from a "
                "backup, or give the role a new one"
            )

    def _keep(self, role: str, metadata: Metadata[T], delegators: tuple[Delegator, ...]) -> Step:
        version = metadata.signed.version
        if len(dump(metadata)) > made.MOST_BYTES:
            raise FleetError(f"{role} is longer than boards read: withdraw what is old")
        if lacking := missing(metadata, role, delegators):
            return Step(role, version, lacking, self._shelf.put_draft(role, metadata))
        self._shelf.put(role, metadata)
        self._shelf.draft_path(role, version).unlink(missing_ok=True)
        return Step(role, version)
