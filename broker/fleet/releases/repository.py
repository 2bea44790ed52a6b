"""What the operator does with signed metadata. Every step is whole or absent; versions only rise.

    begin                  keys, a first root, and the fleet's root vouches for it
    vouch    offline       plans that exist from now on, or no longer
    choose   online        a group's rollout of a package
    refresh  online        the date and the expiry of what is signed online: from a timer
    sign_again  offline    the expiry of what is signed offline: once a year

After each of them, `messages` is what the broker shall hold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root, Snapshot, T, Targets, Timestamp

from broker.fleet.errors import FleetError, FleetExistsError
from broker.fleet.folder import locked
from broker.fleet.releases import metadata as made
from broker.fleet.releases.keys import make_key
from broker.fleet.releases.metadata import dump, ends_s, renewed, signed_s
from broker.fleet.releases.shelf import Shelf
from broker.fleet.releases.signing import Delegator, missing, place_of, sign_here
from broker.fleet.root import Root as FleetRoot
from broker.wire.release import BLOCK_BYTES, PackagePlan, Rollout
from broker.wire.vouched import ROLLOUT, ROOT_FILE, ROOT_LABEL, is_rollout, plan_path, rollout_path


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a change that offline keys sign."""

    role: str
    version: int
    missing: int = 0  # signatures of other people; then nothing is in force yet
    draft: Path | None = None  # what they sign


class Repository:
    """The signed metadata of one fleet. Use from one process at a time: it locks the folder.

    Args:
        fleet: The operator's folder.
    """

    def __init__(self, fleet: Path) -> None:
        self.fleet = fleet
        self.shelf = Shelf(fleet)

    def begin(self, root: FleetRoot, *, now_s: float) -> None:
        """Make all keys and the first metadata, under the passphrase of the fleet's root.

        Raises:
            FleetExistsError: there are releases already.
            FleetError: the disk refused.
        """
        with locked(self.fleet):
            if self.shelf.exists:
                raise FleetExistsError(f"{self.fleet} has releases already")
            keys = {role: self.make_key(role, root.passphrase) for role in made.ROLES}
            rollout_key = keys.pop(ROLLOUT)
            first = made.first_root(keys, now_s=now_s)
            self._sign(Root.type, first, (first.signed,), root.passphrase)
            targets = made.first_targets(rollout_key, now_s=now_s)
            self._sign(Targets.type, targets, (first.signed,), root.passphrase)
            rollouts = made.first_rollout(now_s=now_s)
            self._sign(ROLLOUT, rollouts, (targets.signed,))
            self.vouch_for_root(root)
            self.publish(targets, rollouts, now_s=now_s)

    def vouch(
        self,
        plans: Mapping[str, bytes],
        *,
        gone: Iterable[str] = (),
        passphrase: str | None,
        now_s: float,
    ) -> Step:
        """Vouch for plans, by their paths, and no longer for others.

        Raises:
            PassphraseError: the keys are locked, and this passphrase, or none, does not open them.
            FleetError: a plan is none, or of another path; there are too many of them.
        """
        for path, data in plans.items():
            _check_plan(path, data)
        with locked(self.fleet):
            new = renewed(self.shelf.targets(), Targets.type, now_s=now_s)
            new = made.with_plans(new, plans, gone)
            return self.put_targets(new, passphrase=passphrase, now_s=now_s)

    def choose(self, group: str, package: str, rollout: Rollout, *, now_s: float) -> None:
        """Put a group's rollout of a package in force.

        Raises:
            FleetError: its number is not higher than the last one's, or it chooses what the
                offline keys do not vouch for.
        """
        path = rollout_path(group, package)
        with locked(self.fleet):
            last = self.rollout(group, package)
            if last is not None and rollout.number <= last.number:
                raise FleetError(
                    f"rollout {rollout.number} of {package!r} for {group!r} comes after "
                    f"{last.number}: boards would refuse it"
                )
            self._check_choices(rollout)
            targets, old = self.shelf.targets(), self.shelf.rollouts()
            new = made.with_rollout(renewed(old, ROLLOUT, now_s=now_s), path, rollout)
            self._sign(ROLLOUT, new, (targets.signed,))
            self.publish(targets, new, now_s=now_s)

    def rollout(self, group: str, package: str) -> Rollout | None:
        """A group's rollout of a package; None: there is none.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        target = self.shelf.rollouts().signed.targets.get(rollout_path(group, package))
        return None if target is None else Rollout.read(target.custom[ROLLOUT])

    def refresh(self, *, now_s: float) -> None:
        """Sign anew what is signed online, so that boards know that it is of today.

        Raises:
            FleetError: a key is missing, or the disk refused.
        """
        with locked(self.fleet):
            targets, rollouts = self.shelf.targets(), self.shelf.rollouts()
            if ends_s(rollouts) < now_s + made.LIFE_S[ROLLOUT] / 2:
                rollouts = renewed(rollouts, ROLLOUT, now_s=now_s)
                self._sign(ROLLOUT, rollouts, (targets.signed,))
            self.publish(targets, rollouts, now_s=now_s)

    def sign_again(self, *, passphrase: str | None, now_s: float) -> list[Step]:
        """Sign anew what is signed offline, before it expires.

        Raises:
            PassphraseError: the keys are locked, and this passphrase, or none, does not open them.
            FleetError: the disk refused.
        """
        with locked(self.fleet):
            root = renewed(self.shelf.root(), Root.type, now_s=now_s)
            targets = renewed(self.shelf.targets(), Targets.type, now_s=now_s)
            return [
                self.put_root(root, passphrase=passphrase, now_s=now_s),
                self.put_targets(targets, passphrase=passphrase, now_s=now_s),
            ]

    def vouch_for_root(self, root: FleetRoot) -> None:
        """Have the fleet's root vouch for the newest root: boards that come begin with it."""
        newest = dump(self.shelf.root()).decode()
        self.shelf.put_file(ROOT_FILE, root.sign(ROOT_LABEL, newest))

    def put_root(self, new: Metadata[Root], *, passphrase: str | None, now_s: float) -> Step:
        """Put a new root in force, if the old one's keys and its own have signed it."""
        before = (self.shelf.root().signed, new.signed)
        step = self._sign(Root.type, new, before, passphrase)
        if not step.missing:  # it may name other online keys
            self._publish_again(now_s)
        return step

    def put_targets(self, new: Metadata[Targets], *, passphrase: str | None, now_s: float) -> Step:
        """Put new targets in force, if enough people have signed them."""
        if len(dump(new)) > made.MOST_BYTES:
            raise FleetError(
                f"{len(new.signed.targets)} plans are more than boards read: withdraw old ones"
            )
        step = self._sign(Targets.type, new, (self.shelf.root().signed,), passphrase)
        if not step.missing:
            rollouts = self.shelf.rollouts()
            self._sign(ROLLOUT, rollouts, (new.signed,))
            self.publish(new, rollouts, now_s=now_s)
        return step

    def publish(
        self, targets: Metadata[Targets], rollouts: Metadata[Targets], *, now_s: float
    ) -> None:
        """Pin what names targets, and date it."""
        root, version, dated, at_least_s = self.shelf.root(), 1, 1, 0
        if self.shelf.exists:
            timestamp = self.shelf.timestamp()
            version = timestamp.signed.snapshot_meta.version + 1
            dated, at_least_s = timestamp.signed.version + 1, signed_s(timestamp)
        pinned = {
            role: (each.signed.version, dump(each))
            for role, each in {Targets.type: targets, ROLLOUT: rollouts}.items()
        }
        snapshot = made.snapshot_of(pinned, version, now_s=now_s)
        self._sign(Snapshot.type, snapshot, (root.signed,))
        timestamp = made.timestamp_of(
            snapshot, dump(snapshot), dated, now_s=now_s, at_least_s=at_least_s
        )
        self._sign(Timestamp.type, timestamp, (root.signed,))

    def make_key(self, role: str, passphrase: str | None) -> Key:
        """Make a key for a role; it signs nothing until metadata says so."""
        place = place_of(role)
        locked_with = passphrase if place_of(Root.type) == place else None
        return make_key(self.shelf.folder / place, role, locked_with)

    def _publish_again(self, now_s: float) -> None:
        self.publish(self.shelf.targets(), self.shelf.rollouts(), now_s=now_s)

    def _sign(
        self,
        role: str,
        metadata: Metadata[T],
        delegators: tuple[Delegator, ...],
        passphrase: str | None = None,
    ) -> Step:
        sign_here(metadata, role, delegators, folder=self.shelf.folder, passphrase=passphrase)
        lacking = missing(metadata, role, delegators)
        if lacking:
            draft = self.shelf.put_draft(role, metadata)
            return Step(role, metadata.signed.version, lacking, draft)
        self.shelf.put(role, metadata)
        return Step(role, metadata.signed.version)

    def _check_choices(self, rollout: Rollout) -> None:
        vouched = self.shelf.targets().signed.targets
        for choice in rollout.choices:
            target = vouched.get(choice.path)
            if target is None or target.hashes.get("sha256") != choice.sha256:
                raise FleetError(f"{choice.path}: nobody vouches for it: release it first")


def _check_plan(path: str, data: bytes) -> None:
    try:
        plan = PackagePlan.read(data)
    except ValueError as error:
        raise FleetError(f"{path}: not a plan: {error}") from error
    if path != plan_path(plan) or is_rollout(path):
        raise FleetError(f"{path}: not the path of {plan_path(plan)}")
    if len(data) > BLOCK_BYTES:
        raise FleetError(f"{path}: the plan is longer than one block: use fewer files or patches")
