"""Epochs: the pairs of keys that a pool has one after the other, and how the old ones vanish.

    seed --"epoch next"--> seed of the next epoch --"epoch next"--> ...
      '--"epoch keys"--> this epoch's private keys, one for each suite

The operator makes a chain of epochs in advance, signs the public halves (see `bundle`) and hands
the first seed to the workers. A worker replaces the seed by that of the first epoch which is not
over, so that earlier private keys cannot be computed any more: HKDF does not run backwards. A
chain is a small file, `epochs-<version>.json`; one that has ended is removed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta
from msgspec.structs import replace

from broker.wire.bundle import KeyBundle
from broker.wire.document import Document, Version
from broker.wire.errors import KeyFileError
from broker.wire.files import write_durably
from broker.wire.keys import PRIVATE_BYTES, PoolPrivateKey, Suite, supported_suites

PATTERN = "epochs-*.json"
SEED_BYTES = 32
_KEYS = b"fl/v1 epoch keys"
_NEXT = b"fl/v1 epoch next"


class EpochChain(Document, frozen=True):
    """`epochs-<version>.json`: the private halves of epochs that follow each other."""

    version: Version  # of the bundle that brought them
    start_s: Annotated[int, Meta(ge=0)]  # of the first of them; Unix time, seconds
    epoch_s: Annotated[int, Meta(ge=1)]
    count: Annotated[int, Meta(ge=1, le=10_000)]
    seed: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]  # of the first
    notice: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]  # private, Ed25519; see `stale`

    def __repr__(self) -> str:
        return f"EpochChain(version={self.version}, start_s={self.start_s}, count={self.count})"

    @property
    def notice_key(self) -> Ed25519PrivateKey:
        """What a worker signs with that a question's key is gone."""
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.notice))

    def epochs(self) -> Iterator["Epoch"]:
        """Every epoch, first to last."""
        seed = bytes.fromhex(self.seed)
        for number in range(self.count):
            start_s = self.start_s + number * self.epoch_s
            yield Epoch(start_s, start_s + self.epoch_s, _private_keys(seed))
            seed = _derive(seed, _NEXT, SEED_BYTES)

    def without(self, over: int) -> "EpochChain | None":
        """The chain after its first `over` epochs; None if that is all of it."""
        if over >= self.count:
            return None
        seed = bytes.fromhex(self.seed)
        for _ in range(over):
            seed = _derive(seed, _NEXT, SEED_BYTES)
        start_s = self.start_s + over * self.epoch_s
        return replace(self, start_s=start_s, count=self.count - over, seed=seed.hex())


@dataclass(frozen=True, slots=True)
class Epoch:
    """A time, and the private keys that open what is sealed in it."""

    not_before_s: int  # Unix time, seconds
    not_after_s: int  # Unix time, seconds
    private: dict[Suite, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a worker's folder still opens."""

    keys: dict[bytes, PoolPrivateKey] = field(repr=False)  # by key name
    notice_key: Ed25519PrivateKey | None = field(repr=False)  # the bundle's; None: no key is left
    deleted: int  # epochs whose private halves are gone since the last look
    undeleted: int  # epochs that are over and that the disk keeps
    due_s: float  # Unix time, seconds: when the next epoch is over, with its grace


def read_chains(folder: Path) -> dict[Path, EpochChain]:
    """Every chain in a worker's folder.

    Raises:
        KeyFileError: one cannot be read.
    """
    chains = {}
    for path in sorted(folder.glob(PATTERN)):
        try:
            chains[path] = EpochChain.read(path.read_bytes())
        except FileNotFoundError:  # another worker on this folder has just removed it
            continue
        except (OSError, ValueError) as error:
            raise KeyFileError(f"{path}: {error}") from None
    return chains


def open_epochs(folder: Path, bundle: KeyBundle, *, now_s: float) -> Opened:
    """Delete the private halves that are over or withdrawn; return the others.

    Over is an epoch whose grace has passed. Withdrawn is a chain of which a later bundle knows
    no key any more: what `firstline fleet rotate --now` does.

    Raises:
        KeyFileError: a chain cannot be read.
    """
    published, notice = bundle.names().keys(), bundle.notice
    keys: dict[bytes, PoolPrivateKey] = {}
    notice_key: Ed25519PrivateKey | None = None
    deleted = undeleted = 0
    due_s = float("inf")
    for path, chain in read_chains(folder).items():
        over = max(0, int((now_s - bundle.grace_s - chain.start_s) // chain.epoch_s))
        left = chain.without(over)
        opened = {} if left is None else _opened(left)
        if chain.version <= bundle.version and published.isdisjoint(opened):
            left, opened, over = None, {}, chain.count
        if left is not None:
            keys |= opened
            notice_key = left.notice_key if left.notice_key.public_key() == notice else notice_key
            due_s = min(due_s, left.start_s + left.epoch_s + bundle.grace_s)
        if over:
            gone = _keep(path, left)
            deleted += min(over, chain.count) if gone else 0
            undeleted += 0 if gone else min(over, chain.count)
    return Opened(keys, notice_key, deleted, undeleted, due_s)


def _keep(path: Path, chain: EpochChain | None) -> bool:
    """Have a file hold what is left of its chain; whether the disk let us."""
    try:
        if chain is None:
            path.unlink(missing_ok=True)
        else:
            write_durably(path, chain.write())
    except OSError:
        return False
    return True


def _opened(chain: EpochChain) -> dict[bytes, PoolPrivateKey]:
    suites = supported_suites()  # where ML-KEM is missing, a worker serves suite 1 alone
    found = [
        PoolPrivateKey.from_bytes(suite, private)
        for epoch in chain.epochs()
        for suite, private in epoch.private.items()
        if suite in suites
    ]
    return {key.name: key for key in found}


def _private_keys(seed: bytes) -> dict[Suite, bytes]:
    material = _derive(seed, _KEYS, sum(PRIVATE_BYTES.values()))
    xwing = PRIVATE_BYTES[Suite.XWING]
    return {Suite.XWING: material[:xwing], Suite.X25519: material[xwing:]}


def _derive(seed: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=info).derive(seed)
