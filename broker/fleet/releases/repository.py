"""What the operator does with signed metadata. Every step is whole or absent; versions only rise.

    begin                  keys, a first root, and the fleet's root vouches for it
    vouch    offline       plans that exist from now on, or no longer
    choose   online        a group's rollout of a package
    refresh  online        the date and the expiry of what is signed online: from a timer
    sign_again  offline    the expiry of what is signed offline: once a year

After each of them, `messages` is what the broker shall hold.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from tuf.api.metadata import Root, Targets

from broker.fleet.errors import FleetError, FleetExistsError
from broker.fleet.folder import locked
from broker.fleet.releases import metadata as made
from broker.fleet.releases.metadata import dump, ends_s, renewed, signed_s
from broker.fleet.releases.press import Press, Step
from broker.fleet.releases.shelf import Shelf
from broker.fleet.root import Root as FleetRoot
from broker.wire.release import BLOCK_BYTES, PackagePlan, Rollout
from broker.wire.vouched import ROLLOUT, ROOT_FILE, ROOT_LABEL, is_rollout, plan_path, rollout_path


class Repository:
    """The signed metadata of one fleet. Use from one process at a time: it locks the folder.

    Args:
        fleet: The operator's folder.
    """

    def __init__(self, fleet: Path) -> None:
        self.fleet = fleet
        self.shelf = Shelf(fleet)
        self.press = Press(self.shelf)

    def begin(self, root: FleetRoot, *, now_s: float) -> None:
        """Make all keys and the first metadata, under the passphrase of the fleet's root.

        Raises:
            FleetExistsError: there are releases already.
            FleetError: the disk refused.
        """
        with locked(self.fleet):
            if self.shelf.exists:
                raise FleetExistsError(f"{self.fleet} has releases already")
            keys = {role: self.press.make_key(role, root.passphrase) for role in made.ROLES}
            self.press.begin(keys, passphrase=root.passphrase, now_s=now_s)
            self.vouch_for_root(root)  # last: without it, all this is simply done again

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
            return self.press.put_targets(new, passphrase=passphrase, now_s=now_s)

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
            self.press.put_rollouts(targets, new, now_s=now_s)

    def rollout(self, group: str, package: str) -> Rollout | None:
        """A group's rollout of a package; None: there is none.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        target = self.shelf.rollouts().signed.targets.get(rollout_path(group, package))
        return None if target is None else Rollout.read(target.custom[ROLLOUT])

    def vouched(self, start: str) -> dict[str, str]:
        """The plans that the offline keys vouch for: SHA-256 by path, of those that begin so.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        listed = self.shelf.targets().signed.targets
        return {
            path: each.hashes["sha256"] for path, each in listed.items() if path.startswith(start)
        }

    def refresh(self, *, now_s: float) -> None:
        """Sign anew what is signed online, so that boards know that it is of today.

        Raises:
            FleetError: a key is missing, or the disk refused.
        """
        with locked(self.fleet):
            targets, rollouts = self.shelf.targets(), self.shelf.rollouts()
            if ends_s(rollouts) < now_s + made.LIFE_S[ROLLOUT] / 2:
                new = renewed(rollouts, ROLLOUT, now_s=now_s)
                self.press.put_rollouts(targets, new, now_s=now_s)
            else:
                self.press.publish(targets, rollouts, now_s=now_s)

    def freshen(self, *, now_s: float) -> bool:
        """Refresh if that was not done for a day; whether it was now.

        Raises:
            FleetError: a key is missing, or the disk refused.
        """
        if now_s < signed_s(self.shelf.timestamp()) + made.DAY_S:
            return False
        self.refresh(now_s=now_s)
        return True

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
                self.press.put_root(root, passphrase=passphrase, now_s=now_s),
                self.press.put_targets(targets, passphrase=passphrase, now_s=now_s),
            ]

    def vouch_for_root(self, root: FleetRoot) -> None:
        """Have the fleet's root vouch for the newest root: boards that come begin with it."""
        newest = dump(self.shelf.root()).decode()
        self.shelf.put_file(ROOT_FILE, root.sign(ROOT_LABEL, newest))

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
