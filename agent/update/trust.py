"""What the operator has signed for this board, and nothing else.

    root.pub --vouches for--> the first TUF root --> ... --> root N     kept, durably

    timestamp --> snapshot --> targets, by offline keys     PackagePlan: vouched for
                           --> rollout, by an online key    Rollout: chosen among those

TUF's client does it, on a folder of its own that is filled from what is kept here and lost at the
end, for it neither waits for the disk nor lives on a card without links. What it accepted then has
to be above the floor, and only after that it is kept.
"""

import hashlib
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tuf.api.metadata import Role, Root, TargetFile, Targets, Timestamp

from agent.update.cache import Cache
from agent.update.client import Client, translated
from agent.update.date import Date
from agent.update.errors import ExpiredError, RefusedError
from agent.update.fetcher import MqttFetcher
from agent.update.floor import Chosen, Floor, Seen
from broker.wire.errors import KeyFileError
from broker.wire.release import BLOCK_BYTES, Choice, PackagePlan, Rollout
from broker.wire.signed import open_signed
from broker.wire.vouched import (
    ROLLOUT,
    ROOT_FILE,
    ROOT_LABEL,
    SIGNED_S,
    is_rollout,
    plan_path,
    rollout_path,
)


class Trust:
    """What is signed, and may be taken. A context manager; use from one thread.

    Args:
        cache: Metadata that was taken before.
        root: The fleet's root: vouches for the first TUF root.
        fetcher: Brings what the broker retains.
        floor: The newest of everything that was ever taken.
        date: What time it is at least.
    """

    def __init__(
        self,
        *,
        cache: Cache,
        root: Ed25519PublicKey,
        fetcher: MqttFetcher,
        floor: Floor,
        date: Date,
    ) -> None:
        self._cache, self._root, self._fetcher = cache, root, fetcher
        self._floor, self._date = floor, date
        self._working = cache.lay_out()
        self._client: Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.clear()

    def refresh(self) -> Seen:
        """Bring everything up to date, and return what was seen.

        Raises:
            ExpiredError: it is over, or our idea of the time is wrong.
            RefusedError: it may not be taken. Nothing of it is kept but newer roots.
            NotHeardError: the broker does not bring it.
            LineClosedError: there is no agent any more.
            OSError: the disk refused.
        """
        first = self._first_root()
        signed_s = self._floor.seen.signed_s
        client = self._look(first, signed_s)
        try:
            client.refresh()
        except ExpiredError:
            # Who stole an online key can have signed a date far ahead. Newer keys take it back.
            if not self._has_new_keys(client.root):
                raise
            signed_s = _signed_s(client.root)
            client = self._look(first, signed_s)
            client.refresh()
        finally:
            self._cache.keep_roots(self._working)
        seen = self._floor.seen.then(_seen(client))
        client.set_time(self._date.at_least_s(max(signed_s, seen.signed_s)))
        if over := client.expired():
            raise ExpiredError(f"{over[0]} was over when the timestamp was signed")
        self._floor.keep(seen)
        self._cache.keep(self._working)
        self._client = client
        return self._floor.seen

    def rollout(self, group: str, package: str) -> Rollout | None:
        """What a group's boards shall run of a package; None: nobody says. After `refresh`.

        Raises:
            UpdateError: as `refresh`.
            LineClosedError: there is no agent any more.
            OSError: the disk refused.
        """
        path = rollout_path(group, package)
        target = self._fresh.find(path)
        self._cache.keep(self._working)
        if target is None:
            return None
        rollout = read_rollout(target)
        digest = hashlib.sha256(rollout.write()).hexdigest()
        self._floor.keep(self._floor.seen.chose(path, Chosen(rollout.number, digest)))
        return rollout

    def plan(self, choice: Choice, *, group: str, package: str) -> PackagePlan:
        """A plan that a rollout chose, if the offline keys vouch for it. After `refresh`.

        Raises:
            UpdateError: as `refresh`.
            LineClosedError: there is no agent any more.
        """
        target = self._fresh.targets.targets.get(choice.path)  # of the offline keys alone
        if target is None or is_rollout(choice.path):
            raise RefusedError(f"{choice.path}: no offline key vouches for it")
        if target.hashes.get("sha256") != choice.sha256 or target.length > BLOCK_BYTES:
            raise RefusedError(f"{choice.path}: not the one that an offline key vouches for")
        with translated():
            data = self._fetcher.block(choice.sha256)
            target.verify_length_and_hashes(data)
        try:
            plan = PackagePlan.read(data)
        except ValueError as error:
            raise RefusedError(f"{choice.path}: {error}") from None
        if plan.package != package or choice.path != plan_path(plan):
            raise RefusedError(f"{choice.path}: the plan of another package")
        if plan.groups and group not in plan.groups:
            raise RefusedError(f"{choice.path}: not for the group {group!r}")
        return plan

    @property
    def _fresh(self) -> Client:
        if self._client is None:
            raise RuntimeError("refresh first")
        return self._client

    def _look(self, first: bytes, signed_s: float) -> Client:
        now_s = self._date.at_least_s(signed_s)
        return Client(self._working, self._fetcher, first, now_s=now_s)

    def _first_root(self) -> bytes:
        """The root that this board began with; at first the one that the broker brings."""
        try:
            return open_signed(ROOT_LABEL, self._cache.root(), self._root).encode()
        except KeyFileError:  # not here, or damaged
            with translated():
                wrapped = self._fetcher.file(ROOT_FILE)
        try:
            root = open_signed(ROOT_LABEL, wrapped, self._root).encode()
        except KeyFileError as error:
            raise RefusedError(str(error)) from None
        self._cache.keep_root(wrapped)
        return root

    def _has_new_keys(self, root: Root) -> bool:
        seen = self._floor.seen
        return root.version > seen.root and epoch(root) != seen.epoch


def read_rollout(target: TargetFile) -> Rollout:
    """The rollout that a target without content holds.

    Raises:
        RefusedError: it holds none.
    """
    text = target.custom.get(ROLLOUT) if isinstance(target.custom, dict) else None
    try:
        return Rollout.read(text if isinstance(text, str) else "")
    except ValueError as error:
        raise RefusedError(f"{target.path}: {error}") from None


def epoch(root: Root) -> str:
    """Names the keys that sign timestamps and snapshots."""
    return _keys_digest(root.roles["timestamp"], root.roles["snapshot"])


def _keys_digest(*roles: Role) -> str:
    told = "|".join(f"{role.threshold}:{','.join(sorted(role.keyids))}" for role in roles)
    return hashlib.sha256(told.encode()).hexdigest()


def _seen(client: Client) -> Seen:
    timestamp, pinned = client.timestamp, client.snapshot.meta
    rollout = pinned.get(f"{ROLLOUT}.json")
    return Seen(
        root=client.root.version,
        epoch=epoch(client.root),
        timestamp=timestamp.version,
        snapshot=client.snapshot.version,
        targets=client.targets.version,
        rollout=0 if rollout is None else rollout.version,
        signed_s=_signed_s(timestamp),
        choosers=_choosers(client.targets),
    )


def _choosers(targets: Targets) -> str:
    roles = targets.delegations.roles if targets.delegations else None
    return _keys_digest(roles[ROLLOUT]) if roles and ROLLOUT in roles else ""


def _signed_s(signed: Root | Timestamp) -> int:
    """When it was signed, Unix time.

    Raises:
        RefusedError: it does not say so, or says a time after its end.
    """
    found = signed.unrecognized_fields.get(SIGNED_S)
    if type(found) is not int or not 0 <= found <= signed.expires.timestamp():
        raise RefusedError(f"{signed.type}: no time at which it was signed")
    return found
