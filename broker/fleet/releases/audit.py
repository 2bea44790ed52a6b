"""Who did what to which release, and when: a log that is only added to, and tells if it was not.

    DIR/releases/audit.log    one entry a line: {"number", "at_s", "who", ..., "before"}

`before` is the SHA-256 of the line before, so what is altered, taken out or put in shows at that
line. Each rollout that is signed carries the SHA-256 of the last line of then, in `Rollout.log`:
the broker and every board have it, so a log that was cut short or written anew shows as well.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from broker.fleet.private import make_private
from broker.wire.document import Document, Name, Version
from broker.wire.release import PackageName, Time

FILE: Final = "audit.log"
What: TypeAlias = Literal["release", "wave", "pause", "resume", "abort", "halt", "finish", "forget"]
_Text = Annotated[str, Meta(max_length=1000)]


class Entry(Document, frozen=True):
    """One thing that was done."""

    number: Version
    at_s: Time
    who: _Text
    what: What
    group: Name
    package: PackageName
    release: Version
    words: _Text
    before: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]  # SHA-256; empty in the first line


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is to be noted."""

    who: str
    what: What
    group: str
    package: str
    release: int
    words: str


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where the log is not as it was written."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class History:
    """All entries that can be read, and what is wrong with the others."""

    entries: tuple[Entry, ...]
    damages: tuple[Damage, ...]


class AuditLog:
    """One fleet's log. Whoever appends holds the lock of its folder.

    Args:
        folder: Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def append(self, deed: Deed, *, now_s: float) -> str:
        """Note a deed, durably; return the SHA-256 of its line.

        Raises:
            OSError: the disk refused.
        """
        make_private(self._path.parent)
        lines = self._lines()
        entry = Entry(
            number=len(lines) + 1,
            at_s=now_s,
            who=deed.who,
            what=deed.what,
            group=deed.group,
            package=deed.package,
            release=deed.release,
            words=deed.words,
            before=_digest(lines[-1]) if lines else "",
        )
        line = entry.write()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            # What a power cut left of a line that nobody was told of. Complete ones stay.
            file.seek(sum(len(each) + 1 for each in lines))
            file.truncate()
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return _digest(line)

    def read(self, signed: Mapping[str, str]) -> History:
        """Read all of it, and compare it with what signed rollouts say of it.

        Args:
            signed: `Rollout.log` of each, by a name of that rollout for people.
        """
        lines = self._lines()
        damages, entries, before = [], [], ""
        for number, line in enumerate(lines, start=1):
            try:
                entry = Entry.read(line)
            except ValueError:
                damages.append(Damage(number, "it is no entry"))
            else:
                entries.append(entry)
                damages += _wrong(entry, number, before)
            before = _digest(line)
        damages += _missing(lines, signed)
        return History(tuple(entries), tuple(damages))

    def _lines(self) -> list[bytes]:
        """Whole lines only."""
        try:
            return self._path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []


def _wrong(entry: Entry, number: int, before: str) -> Iterable[Damage]:
    if entry.number != number:
        yield Damage(number, f"it says that it is number {entry.number}: lines came or went")
    elif entry.before != before:
        where = f"line {number - 1} is not as it was when line {number} was written"
        yield Damage(max(1, number - 1), where if number > 1 else "it was not the first line")


def _missing(lines: list[bytes], signed: Mapping[str, str]) -> Iterable[Damage]:
    known = {_digest(line) for line in lines}
    for name, digest in sorted(signed.items()):
        if digest and digest not in known:
            yield Damage(len(lines), f"{name} was signed with a log that went on in another way")


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
