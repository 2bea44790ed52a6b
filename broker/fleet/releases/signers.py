"""Who signs what of releases, until when it holds, and what waits for signatures."""

from dataclasses import dataclass
from pathlib import Path

from tuf.api.metadata import Metadata, Root, Snapshot, T, Targets, Timestamp

from broker.fleet.releases.keys import key_path
from broker.fleet.releases.metadata import ends_s
from broker.fleet.releases.shelf import Shelf, read_metadata
from broker.fleet.releases.signing import Delegator, keys_of, missing, place_of
from broker.wire.vouched import ROLLOUT


@dataclass(frozen=True, slots=True)
class Signers:
    """One role."""

    role: str
    version: int
    ends_s: int  # Unix time: boards take nothing of it afterwards
    keys: int  # that may sign
    here: int  # of those, how many lie in the operator's folder
    threshold: int  # how many must


@dataclass(frozen=True, slots=True)
class Draft:
    """What people have to sign."""

    path: Path
    role: str
    version: int
    missing: int  # signatures


def signers(shelf: Shelf) -> list[Signers]:
    """Every role, what signs for the others first.

    Raises:
        NotAFleetError: there are no releases, or a file is damaged.
    """
    root, targets = shelf.root(), shelf.targets()
    return [
        _signers(shelf, Root.type, root, root.signed),
        _signers(shelf, Targets.type, targets, root.signed),
        _signers(shelf, ROLLOUT, shelf.rollouts(), targets.signed),
        _signers(shelf, Snapshot.type, shelf.snapshot(), root.signed),
        _signers(shelf, Timestamp.type, shelf.timestamp(), root.signed),
    ]


def drafts(shelf: Shelf) -> list[Draft]:
    """What is not signed by enough people yet.

    Raises:
        NotAFleetError: there are no releases, or a file is damaged.
    """
    root = shelf.root().signed
    next_root = shelf.draft_path(Root.type, root.version + 1)
    next_targets = shelf.draft_path(Targets.type, shelf.targets().signed.version + 1)
    found, by = [], root
    if next_root.exists():
        draft: Metadata[Root] = read_metadata(next_root)
        by = draft.signed
        lacking = missing(draft, Root.type, (root, by))
        found.append(Draft(next_root, Root.type, by.version, lacking))
    if next_targets.exists():
        targets: Metadata[Targets] = read_metadata(next_targets)
        lacking = missing(targets, Targets.type, (by,))
        found.append(Draft(next_targets, Targets.type, targets.signed.version, lacking))
    return found


def _signers(shelf: Shelf, role: str, metadata: Metadata[T], by: Delegator) -> Signers:
    keys = list(keys_of(by, role))
    place = shelf.folder / place_of(role)
    return Signers(
        role=role,
        version=metadata.signed.version,
        ends_s=int(ends_s(metadata)),
        keys=len(keys),
        here=sum(key_path(place, role, key).exists() for key in keys),
        threshold=by.get_delegated_role(role).threshold,
    )
