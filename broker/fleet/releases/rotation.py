"""Other keys for a role: after a theft, when somebody leaves, or so that two people must agree.

    root                          root N + 1, signed by the old keys and by the new ones
    targets, snapshot, timestamp  root N + 1 names the new keys; what they sign is signed anew
    rollout                       targets N + 1 name the new key; the rollouts are signed anew

Where people elsewhere must sign, a step says how many are missing, and leaves a draft for them.
`adopt` puts it in force. Two people of three sign targets, say, after
`share(repository, "targets", [anna, ben, cleo], 2, ...)`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from broker.fleet.errors import FleetError
from broker.fleet.folder import locked
from broker.fleet.releases.keys import key_path
from broker.fleet.releases.metadata import ROLES, renewed, with_keys
from broker.fleet.releases.press import Step
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.shelf import read_metadata
from broker.fleet.releases.signing import keys_of, missing, place_of
from broker.wire.vouched import ROLLOUT

ONLINE_ROLES: Final = (Timestamp.type, Snapshot.type, ROLLOUT)
SHARED: Final = (Root.type, Targets.type)  # roles that people sign for


def rotate(repository: Repository, role: str, *, passphrase: str | None, now_s: float) -> Step:
    """Give a role a new key in place of its key that lies here.

    The old one is worth nothing from then on, wherever it is. After a theft of online keys, give
    all three new ones: boards then forget what the thief may have signed for them to believe.

    Raises:
        PassphraseError: the keys are locked, and this passphrase, or none, does not open them.
        FleetError: no such role, or the disk refused.
    """
    if role not in ROLES:
        raise FleetError(f"{role!r} is no role: choose one of {', '.join(ROLES)}")
    with locked(repository.fleet):
        shelf = repository.shelf
        delegator = (shelf.targets() if role == ROLLOUT else shelf.root()).signed
        place = shelf.folder / place_of(role)
        old = keys_of(delegator, role)
        kept = [key for key in old if not key_path(place, role, key).exists()]
        keys = [*kept, repository.press.make_key(role, passphrase)]
        threshold = delegator.get_delegated_role(role).threshold
        return _change(repository, role, keys, threshold, passphrase, now_s)


def share(  # noqa: PLR0913 - each is a fact of its own
    repository: Repository,
    role: str,
    keys: Sequence[Key],
    threshold: int,
    *,
    passphrase: str | None,
    now_s: float,
) -> Step:
    """Have people sign for a role, so many of them together; nobody else signs from then on.

    Raises:
        PassphraseError: the keys are locked, and this passphrase, or none, does not open them.
        FleetError: people do not sign for this role, or there are too few of them.
    """
    people = {key.keyid: key for key in keys}
    if role not in SHARED:
        raise FleetError(f"people sign for {' and '.join(SHARED)}, not for {role!r}")
    if not 1 <= threshold <= len(people):
        raise FleetError(f"{threshold} of {len(people)} people can never sign")
    with locked(repository.fleet):
        return _change(repository, role, list(people.values()), threshold, passphrase, now_s)


def adopt(repository: Repository, draft: Path, *, now_s: float) -> Step:
    """Put a draft in force that others have signed; or say how many still have to.

    Raises:
        FleetError: it is none, or not the next version.
    """
    with locked(repository.fleet):
        metadata: Metadata[Root] | Metadata[Targets] = read_metadata(draft)
        new, shelf, press = metadata.signed, repository.shelf, repository.press
        if isinstance(new, Root):
            _check_next(draft, new.version, shelf.root().signed.version)
            return press.enact_root(Metadata(new, metadata.signatures), now_s=now_s)
        targets = Metadata(new, metadata.signatures)
        _check_next(draft, new.version, shelf.targets().signed.version)
        if (root := _waiting_root(repository)) and not missing(
            targets, Targets.type, (root.signed,)
        ):
            press.enact_root(root, now_s=now_s)
        return press.enact_targets(targets, now_s=now_s)


def _change(  # noqa: PLR0913, PLR0917 - as `share`
    repository: Repository,
    role: str,
    keys: Sequence[Key],
    threshold: int,
    passphrase: str | None,
    now_s: float,
) -> Step:
    shelf = repository.shelf
    targets = renewed(shelf.targets(), Targets.type, now_s=now_s)
    if role == ROLLOUT:
        with_keys(targets.signed, role, keys, threshold)
        return repository.press.put_targets(targets, passphrase=passphrase, now_s=now_s)
    root = renewed(shelf.root(), Root.type, now_s=now_s)
    with_keys(root.signed, role, keys, threshold)
    if role == Targets.type:
        return _change_both(repository, root, targets, passphrase, now_s)
    return repository.press.put_root(root, passphrase=passphrase, now_s=now_s)


def _change_both(
    repository: Repository,
    root: Metadata[Root],
    targets: Metadata[Targets],
    passphrase: str | None,
    now_s: float,
) -> Step:
    """A root that names others for the targets is worth nothing until they have signed them."""
    shelf, press = repository.shelf, repository.press
    before = (shelf.root().signed, root.signed)
    press.sign(Root.type, root, before, passphrase)
    press.sign(Targets.type, targets, (root.signed,), passphrase)
    lacking = missing(targets, Targets.type, (root.signed,))
    if lacking or missing(root, Root.type, before):
        shelf.put_draft(Root.type, root)
        draft = shelf.put_draft(Targets.type, targets)
        return Step(Targets.type, targets.signed.version, lacking, draft)
    press.enact_root(root, now_s=now_s)
    return press.enact_targets(targets, now_s=now_s)


def _waiting_root(repository: Repository) -> Metadata[Root] | None:
    """The next root, if it is signed and waits for the targets that are to come with it."""
    shelf = repository.shelf
    now = shelf.root().signed
    path = shelf.draft_path(Root.type, now.version + 1)
    if not path.exists():
        return None
    root: Metadata[Root] = read_metadata(path)
    return None if missing(root, Root.type, (now, root.signed)) else root


def _check_next(draft: Path, version: int, before: int) -> None:
    if version != before + 1:
        raise FleetError(f"{draft}: version {version} cannot follow {before}: make it again")
