"""What an operator releases, as boards read it. Signed metadata vouches for every byte of it.

    targets, offline keys    PACKAGE/VERSION/VARIANT.json    -> PackagePlan: files by their content
    rollout/*, online key    rollout/GROUP/PACKAGE.json      -> Rollout: which of them, who, when
    block                    at most 128 KiB, named by its SHA-256
    list block               the digests of up to 4,096 blocks, 32 bytes each; a block like others
    wants, from a board      names of blocks that its broker does not hold

A file that the board has already, whatever package it came with, is not downloaded: an adapter is
a package whose weights are the base's. A plan is a TUF target of one block; a rollout document is
the `custom` of a target without content, so one signature carries it.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta

from broker.wire.document import Document, Name, Version

BLOCK_BYTES: Final = 128 * 1024
DIGEST_BYTES: Final = 32  # SHA-256
LISTED: Final = BLOCK_BYTES // DIGEST_BYTES  # blocks that one list block can name
MOST_WANTED: Final = 64  # blocks that a board asks for at once

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Length = Annotated[int, Meta(ge=0, le=1 << 40)]  # bytes
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")]
PackageName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z")]
PackageVersion = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+\Z", max_length=40)]
Path = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_./-]{0,190}\Z")]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Time = Annotated[float, Meta(ge=0)]  # Unix time, seconds
Method = Literal["bz2", "lzma"]  # of a patch: see `patches`
Minute = Annotated[int, Meta(ge=0, le=1439)]


class Content(Document, frozen=True):
    """Bytes to download, and how to know that they are the right ones.

    What fits into one block is that block, and has no lists. Otherwise all blocks but the last are
    full, and so are all lists but the last.
    """

    length: Length
    sha256: Digest
    lists: Annotated[tuple[Digest, ...], Meta(max_length=2048)] = ()  # list blocks, in order

    @property
    def blocks(self) -> int:
        """How many there are, lists aside."""
        return -(-self.length // BLOCK_BYTES)


class Delta(Document, frozen=True):
    """A shorter way to a file, for a board that has another one."""

    method: Method
    base: Digest  # the whole file that it starts from
    base_length: Length
    patch: Content


class FilePlan(Document, frozen=True):
    """One file of a package."""

    name: FileName
    content: Content
    deltas: Annotated[tuple[Delta, ...], Meta(max_length=16)] = ()


class Needs(Document, frozen=True):
    """What a board must have. Zero, or nothing: no demand."""

    engine: Literal["onnxruntime", "llama.cpp"]
    ram_mb: Count = 0  # that the loaded model adds
    cores: Count = 0
    cpu: tuple[Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,32}\Z")], ...] = ()  # as /proc/cpuinfo
    score: Annotated[float, Meta(ge=0)] = 0.0  # MB/s that it hashes: broker/package/speed.py


class PackagePlan(Document, frozen=True):
    """One variant of a package: what it is made of, and where it can run."""

    package: PackageName
    version: PackageVersion
    variant: Name
    needs: Needs
    files: Annotated[tuple[FilePlan, ...], Meta(min_length=1, max_length=256)]
    groups: tuple[Name, ...] = ()  # that it may ever be for, whoever signs the rollout; none: all

    @property
    def length(self) -> int:
        """Bytes on disk."""
        return sum(each.content.length for each in self.files)


class Choice(Document, frozen=True):
    """A plan that a rollout may choose; it must be vouched for under this very digest."""

    path: Path
    sha256: Digest


class Rollout(Document, frozen=True):
    """Which package a group's boards shall run.

    `number` rises with every change for this group and package, be it of a percentage or a state.
    `release` counts the releases of the package over all groups, and stays while one goes on: what
    it chooses and its salt stay with it. A later release replaces it, whatever it names.
    """

    number: Version
    choices: Annotated[tuple[Choice, ...], Meta(min_length=1, max_length=64)]  # the best first
    state: Literal["running", "paused", "aborted"]
    salt: Annotated[str, Meta(pattern=r"^[0-9a-f]{16,64}\Z")]
    percent: Annotated[float, Meta(ge=0, le=100)]  # of the group's boards, now
    devices: tuple[Name, ...] = ()  # these first, whatever the percentage
    not_before_s: Time = 0.0
    deadline_s: Time = 0.0  # after which nobody starts; 0: none
    hours: tuple[Minute, Minute] | None = None  # of the board's local day, when it may start
    on_battery: bool = True
    on_metered: bool = True
    watch_s: Annotated[float, Meta(ge=0, le=604_800)] = 600.0  # it must run well for so long
    restarts: Annotated[int, Meta(ge=1, le=100)] = 3  # that it may take meanwhile
    most_errors: Annotated[float, Meta(ge=0, le=1)] = 0.05  # share of questions
    most_escalated: Annotated[float, Meta(ge=0, le=1)] = 1.0  # share of questions
    most_ms: Annotated[float, Meta(ge=0)] = 0.0  # median of its answers; 0: no bound
    release: Version = 1
    log: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""  # operator's log as it was then

    def includes(self, device: str) -> bool:
        """Whether it is a device's turn by the list and the percentage of now."""
        return device in self.devices or place(self.salt, device) < self.percent


def place(salt: str, device: str) -> float:
    """Where a device stands in a rollout's queue: in [0, 100), the same to all who compute it.

    A board that joins later stands where it would have stood, so a percentage holds for it too.
    """
    drawn = hashlib.sha256(f"{salt}\0{device}".encode()).digest()
    return int.from_bytes(drawn[:6]) / 2**48 * 100.0  # 48 bits: exact in a float, and below 100


class Wants(Document, frozen=True):
    """What a board asks the operator for, because its broker does not hold it."""

    blocks: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=MOST_WANTED)]


def digest(data: bytes) -> str:
    """The name of a block."""
    return hashlib.sha256(data).hexdigest()


def lists_of(blocks: int) -> int:
    """How many lists name so many blocks; a single block needs none."""
    return -(-blocks // LISTED) if blocks > 1 else 0


def cut(lists: bytes) -> Iterator[str]:
    """The names of the blocks that a list block holds.

    Raises:
        ValueError: it holds no whole number of digests, none, or too many.
    """
    if not lists or len(lists) > BLOCK_BYTES or len(lists) % DIGEST_BYTES:
        raise ValueError("not a list of blocks")
    return (lists[at : at + DIGEST_BYTES].hex() for at in range(0, len(lists), DIGEST_BYTES))
