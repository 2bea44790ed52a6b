"""What signed metadata says, and for how long: made here, kept by `shelf`, signed by `signing`.

    root       offline   which keys sign for which role          2 years
    targets    offline   the plans that exist                     1 year
    rollout    online    which of them, for whom, how many        90 days
    snapshot   online    the versions of the two above            90 days
    timestamp  online    the snapshot of now, and the date        7 days

Two things are ours: a timestamp and a root carry the time at which they were signed, so a board
without a clock knows what time it is at least; and a rollout is a target without content whose
`custom` holds the document as text, since TUF's canonical JSON has no fractions.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from securesystemslib.signer import Key
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    T,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from broker.wire.release import Rollout
from broker.wire.vouched import ROLLOUT, ROLLOUT_PATHS, SIGNED_S

ROLES: Final = (Root.type, Targets.type, ROLLOUT, Snapshot.type, Timestamp.type)
DAY_S: Final = 86_400
LIFE_S: Final[Mapping[str, int]] = {
    Root.type: 730 * DAY_S,
    Targets.type: 365 * DAY_S,
    ROLLOUT: 90 * DAY_S,
    Snapshot.type: 90 * DAY_S,
    Timestamp.type: 7 * DAY_S,
}
MOST_BYTES: Final = 5_000_000  # of a role that names targets: what boards take


def file_name(role: str, version: int) -> str:
    """As boards ask for it: only the timestamp has one name for all its versions."""
    return "timestamp.json" if role == Timestamp.type else f"{version}.{role}.json"


def dump(metadata: Metadata[T]) -> bytes:
    """The bytes that travel."""
    return metadata.to_bytes(JSONSerializer(compact=True))


def first_root(keys: Mapping[str, Key], *, now_s: float) -> Metadata[Root]:
    """A root with one key for each top-level role; not signed."""
    root = Root(expires=_end(Root.type, now_s), consistent_snapshot=True)
    for role, key in keys.items():
        root.add_key(key, role)
    root.unrecognized_fields[SIGNED_S] = int(now_s)
    return Metadata(root)


def first_targets(rollout_key: Key, *, now_s: float) -> Metadata[Targets]:
    """Vouches for nothing, and lets another key choose among it; not signed."""
    rollout = DelegatedRole(
        ROLLOUT, [rollout_key.keyid], 1, terminating=True, paths=[ROLLOUT_PATHS]
    )
    delegations = Delegations({rollout_key.keyid: rollout_key}, {ROLLOUT: rollout})
    return Metadata(Targets(expires=_end(Targets.type, now_s), delegations=delegations))


def first_rollout(*, now_s: float) -> Metadata[Targets]:
    """Chooses nothing; not signed."""
    return Metadata(Targets(expires=_end(ROLLOUT, now_s)))


def renewed(metadata: Metadata[T], role: str, *, now_s: float) -> Metadata[T]:
    """The next version of a role's metadata, which lives on from now; not signed."""
    signed = type(metadata.signed).from_dict(metadata.signed.to_dict())
    signed.version += 1
    signed.expires = max(_end(role, now_s), signed.expires)
    if SIGNED_S in signed.unrecognized_fields:
        signed.unrecognized_fields[SIGNED_S] = max(int(now_s), signed_s(metadata))
    return Metadata(signed)


def snapshot_of(
    roles: Mapping[str, tuple[int, bytes]], version: int, *, now_s: float
) -> Metadata[Snapshot]:
    """Pins versions and hashes of what names targets; not signed."""
    meta = {
        f"{role}.json": MetaFile.from_data(number, data, ["sha256"])
        for role, (number, data) in roles.items()
    }
    return Metadata(Snapshot(version, expires=_end(Snapshot.type, now_s), meta=meta))


def timestamp_of(
    snapshot: Metadata[Snapshot], data: bytes, version: int, *, now_s: float
) -> Metadata[Timestamp]:
    """Pins a snapshot and says when; not signed."""
    timestamp = Timestamp(
        version,
        expires=_end(Timestamp.type, now_s),
        snapshot_meta=MetaFile.from_data(snapshot.signed.version, data, ["sha256"]),
    )
    timestamp.unrecognized_fields[SIGNED_S] = int(now_s)
    return Metadata(timestamp)


def signed_s(metadata: Metadata[T]) -> int:
    """When it was signed, Unix time."""
    return int(metadata.signed.unrecognized_fields[SIGNED_S])


def ends_s(metadata: Metadata[T]) -> float:
    """When it expires, Unix time."""
    return metadata.signed.expires.timestamp()


def with_plans(
    targets: Metadata[Targets], plans: Mapping[str, bytes], gone: Iterable[str]
) -> Metadata[Targets]:
    """The same with plans more and plans less. It must not have been signed."""
    listed = targets.signed.targets
    for path, data in plans.items():
        listed[path] = TargetFile.from_data(path, data, ["sha256"])
    for path in gone:
        listed.pop(path, None)
    return targets


def with_rollout(rollouts: Metadata[Targets], path: str, rollout: Rollout) -> Metadata[Targets]:
    """The same with another choice for a group and a package. It must not have been signed."""
    target = TargetFile.from_data(path, b"", ["sha256"])
    target.unrecognized_fields["custom"] = {ROLLOUT: rollout.write().decode()}
    rollouts.signed.targets[path] = target
    return rollouts


def with_keys(delegator: Root | Targets, role: str, keys: Iterable[Key], threshold: int) -> None:
    """Give a role these keys and no others."""
    told: Role = delegator.get_delegated_role(role)
    keys = list(keys)
    for keyid in list(told.keyids):
        if keyid not in {key.keyid for key in keys}:
            delegator.revoke_key(keyid, role)
    for key in keys:
        delegator.add_key(key, role)
    told.threshold = threshold


def _end(role: str, now_s: float) -> datetime:
    return datetime.fromtimestamp(int(now_s), UTC) + timedelta(seconds=LIFE_S[role])
