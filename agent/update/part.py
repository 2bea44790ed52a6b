"""A file of which some blocks are there."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from agent.update.disk import digest_of, forget, room_for, sync_folder, write_at
from agent.update.errors import ContentError
from broker.wire.release import BLOCK_BYTES, Content, cut


def names_of(content: Content, lists: list[bytes]) -> tuple[str, ...]:
    """The names of a content's blocks, in order, of its lists.

    Raises:
        ContentError: the lists name more or fewer blocks than its length takes.
    """
    try:
        names = tuple(name for each in lists for name in cut(each))
    except ValueError as error:
        raise ContentError(f"{content.sha256}: {error}") from None
    if len(names) != content.blocks:
        raise ContentError(
            f"{content.sha256}: {len(names)} blocks for a length of {content.length} bytes"
        )
    return names


class Part:
    """A context manager for one file that is being completed."""

    def __init__(self, path: Path, content: Content, names: tuple[str, ...]) -> None:
        self._path = path
        self._content = content
        self._names = names
        self._at: dict[str, list[int]] = defaultdict(list)  # a block may be there twice
        for index, name in enumerate(names):
            self._at[name].append(index)
        known = path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take_space()
            self._lacking = self._scan() if known else set(self._at)
        except Exception:
            os.close(self._descriptor)
            if not known:
                path.unlink()
            raise
        self.resumed_bytes = content.length - self.lacking_bytes  # that were there already

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    @property
    def lacking_bytes(self) -> int:
        """What is still to come."""
        return sum(self._length(index) for name in self._lacking for index in self._at[name])

    def lacking(self) -> Iterator[str]:
        """The names of the blocks that are not there, in the file's order."""
        return (name for name in self._at if name in self._lacking)

    def put(self, name: str, data: bytes) -> None:
        """Store a block whose digest was verified, and wait until the disk has it.

        Raises:
            ContentError: it has not the length of its place.
            NoSpaceError: the disk is full.
            OSError: the disk failed.
        """
        for index in self._at[name]:
            if len(data) != self._length(index):
                raise ContentError(f"{self._content.sha256}: a list names a block of wrong length")
            with room_for(len(data), self._path.parent):
                write_at(self._descriptor, data, index * BLOCK_BYTES)
        os.fdatasync(self._descriptor)
        for index in self._at[name]:
            forget(self._descriptor, index * BLOCK_BYTES, len(data))
        self._lacking.discard(name)

    def finish(self) -> Path:
        """Read the whole file once more and give it its name.

        Raises:
            ContentError: it is not what was vouched for: the lists are not those of this file.
            OSError: the disk failed.
        """
        if digest_of(self._descriptor) != self._content.sha256:
            self._path.unlink()
            raise ContentError(f"{self._content.sha256}: its blocks are right and the file is not")
        whole = self._path.with_suffix("")
        self._path.rename(whole)
        sync_folder(whole.parent)
        return whole

    def _length(self, index: int) -> int:
        return min(BLOCK_BYTES, self._content.length - index * BLOCK_BYTES)

    def _take_space(self) -> None:
        with room_for(self._content.length, self._path.parent):
            os.posix_fallocate(self._descriptor, 0, self._content.length)
            os.ftruncate(self._descriptor, self._content.length)
            os.fsync(self._descriptor)
            sync_folder(self._path.parent)

    def _scan(self) -> set[str]:
        lacking = set()
        for index, name in enumerate(self._names):
            data = os.pread(self._descriptor, self._length(index), index * BLOCK_BYTES)
            if hashlib.sha256(data).hexdigest() != name:
                lacking.add(name)
            forget(self._descriptor, index * BLOCK_BYTES, len(data))
        return lacking
