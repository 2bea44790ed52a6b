"""The epochs of a pool: made in advance, signed by the root, handed to workers and devices.

    begin    a first chain                   bundle 1      epochs 1..30
    extend   another chain behind the last   bundle n + 1  those that are not over, and more
    renew    a chain that begins now         bundle n + 1  none of the earlier: after a theft

`plan.json` in the pool's folder says how long an epoch lasts and how many there are, if that is not
the default. The private file is stored before the bundle, so a command that was cut short can be
given again.
"""

from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from broker.fleet.errors import EpochsError
from broker.fleet.folder import store
from broker.fleet.handing import pool_folder, read_bundle, share
from broker.fleet.private import make_private
from broker.fleet.root import Root
from broker.wire import bundle as bundles
from broker.wire.bundle import BundledKey, KeyBundle
from broker.wire.credentials import BUNDLE
from broker.wire.document import Document
from broker.wire.epochs import PATTERN, SEED_BYTES, EpochChain, read_chains
from broker.wire.keys import public_bytes, supported_suites
from broker.wire.topics import PoolId

DAY_S = 86_400
MOST_EPOCHS = 40  # a bundle of more would not fit into one message of 128 KiB
PLAN = "plan.json"
_SLACK_S = 3600  # the first epoch began a while ago: clocks of workers and boards differ
_SLACK_SHARE = 24  # ... but not more of an epoch than its 24th part


class EpochPlan(Document, frozen=True):
    """`plan.json`: how a pool's keys change."""

    epoch_s: Annotated[int, Meta(ge=1)] = DAY_S  # for which a key is sealed to
    grace_s: Annotated[int, Meta(ge=0)] = 3600  # for which its questions are opened after that
    epochs: Annotated[int, Meta(ge=1, le=MOST_EPOCHS)] = 30  # made in advance

    @property
    def lasts_s(self) -> int:
        """For how long a device that hears nothing new can ask."""
        return self.epochs * self.epoch_s

    def first_start_s(self, now_s: float) -> int:
        """When an epoch begins that is the present one, Unix time."""
        return int(now_s) - min(_SLACK_S, self.epoch_s // _SLACK_SHARE)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of a pool's keys."""

    pool: PoolId
    version: int  # of its bundle
    added: int  # epochs
    epochs: int  # that are not over
    ends_s: int  # Unix time, seconds: the last one's end


def begin(root: Root, pool: PoolId, plan: EpochPlan, *, now_s: float) -> Rotation:
    """Make a pool's first epochs. The caller has the fleet locked."""
    make_private(pool_folder(root.folder, pool))
    return _from_now_on(root, pool, plan, 1, now_s)


def extend(root: Root, pool: PoolId, plan: EpochPlan | None = None, *, now_s: float) -> Rotation:
    """Make epochs behind the last one, as far as the plan reaches, and drop what is over.

    Raises:
        FleetError: no such pool, too many epochs, or the disk refused.
    """
    old, folder = read_bundle(root.folder, pool), pool_folder(root.folder, pool)
    plan = plan or plan_of(root.folder, pool)
    begins_s = max(old.ends_s, plan.first_start_s(now_s))
    count = min(plan.epochs, int((now_s + plan.lasts_s - begins_s) // plan.epoch_s))
    if count < 1:
        share(root, pool, old, now_s=now_s)
        return _told(old, 0, now_s)
    chain = EpochChain(
        version=old.version + 1,
        start_s=begins_s,
        epoch_s=plan.epoch_s,
        count=count,
        seed=token_hex(SEED_BYTES),
        notice=_notice_of(folder, old),
    )
    opened = tuple(key for key in old.keys if key.not_after_s + old.grace_s > now_s)
    keys = _fitting((*opened, *_public_keys(chain)))
    new = replace(
        old,
        version=chain.version,
        grace_s=plan.grace_s,
        notice_key=_public_notice(chain),
        keys=keys,
    )
    _hand_over(root, plan, chain, new, now_s)
    return _told(new, count, now_s)


def renew(root: Root, pool: PoolId, plan: EpochPlan | None = None, *, now_s: float) -> Rotation:
    """Give up every key that a pool has, and begin anew: somebody may have them.

    Raises:
        FleetError: no such pool, or the disk refused.
    """
    plan = plan or plan_of(root.folder, pool)
    return _from_now_on(root, pool, plan, read_bundle(root.folder, pool).version + 1, now_s)


def _from_now_on(root: Root, pool: PoolId, plan: EpochPlan, version: int, now_s: float) -> Rotation:
    chain = EpochChain(
        version=version,
        start_s=plan.first_start_s(now_s),
        epoch_s=plan.epoch_s,
        count=plan.epochs,
        seed=token_hex(SEED_BYTES),
        notice=token_hex(SEED_BYTES),
    )
    new = KeyBundle(
        fleet=root.fleet,
        pool=pool,
        version=version,
        grace_s=plan.grace_s,
        notice_key=_public_notice(chain),
        keys=_public_keys(chain),
    )
    _hand_over(root, plan, chain, new, now_s)
    return _told(new, chain.count, now_s)


def _hand_over(
    root: Root, plan: EpochPlan, chain: EpochChain, bundle: KeyBundle, now_s: float
) -> None:
    pool = PoolId(bundle.pool)
    folder = pool_folder(root.folder, pool)
    if plan == EpochPlan():
        (folder / PLAN).unlink(missing_ok=True)
    else:
        store(folder / PLAN, plan.write())
    store(folder / PATTERN.replace("*", str(chain.version)), chain.write())
    store(folder / BUNDLE, root.sign(bundles.LABEL, bundle.write().decode()))
    share(root, pool, bundle, now_s=now_s)


def plan_of(folder: Path, pool: PoolId) -> EpochPlan:
    """How a pool's keys change.

    Raises:
        EpochsError: the plan cannot be read.
    """
    path = pool_folder(folder, pool) / PLAN
    try:
        return EpochPlan.read(path.read_bytes())
    except FileNotFoundError:
        return EpochPlan()
    except (OSError, ValueError) as error:
        raise EpochsError(f"{path}: {error}. Remove it for the default plan") from error


def _notice_of(folder: Path, bundle: KeyBundle) -> str:
    """The private half of a bundle's notice key; a new one if that is gone with the last epoch."""
    for chain in read_chains(folder).values():
        if _public_notice(chain) == bundle.notice_key:
            return chain.notice
    return token_hex(SEED_BYTES)


def _public_notice(chain: EpochChain) -> str:
    return chain.notice_key.public_key().public_bytes_raw().hex()


def _public_keys(chain: EpochChain) -> tuple[BundledKey, ...]:
    suites = supported_suites()
    return tuple(
        BundledKey(
            suite=suite,
            public=public_bytes(suite, private).hex(),
            not_before_s=epoch.not_before_s,
            not_after_s=epoch.not_after_s,
        )
        for epoch in chain.epochs()
        for suite, private in epoch.private.items()
        if suite in suites
    )


def _fitting(keys: tuple[BundledKey, ...]) -> tuple[BundledKey, ...]:
    epochs = len({key.not_before_s for key in keys})
    if epochs > MOST_EPOCHS:
        raise EpochsError(
            f"{epochs} epochs do not fit into one bundle, which holds {MOST_EPOCHS}: "
            "choose fewer days, or longer epochs"
        )
    return keys


def _told(bundle: KeyBundle, added: int, now_s: float) -> Rotation:
    alive = {key.not_before_s for key in bundle.keys if key.not_after_s > now_s}
    return Rotation(PoolId(bundle.pool), bundle.version, added, len(alive), bundle.ends_s)
