"""What was released, as blocks: the operator's copy, from which the broker is filled.

    DIR/releases/files/<sha256>          a file, a patch or a plan, as it was when it was released
    DIR/releases/files/<sha256>.lists    the names of its blocks, 32 bytes each, if it has several

A block is cut out of its file when it is needed and compared with its name, so what was damaged
here reaches no broker.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import store
from broker.fleet.private import make_private
from broker.fleet.releases.shelf import RELEASES
from broker.wire.release import BLOCK_BYTES, DIGEST_BYTES, Content, digest

_FILES: Final = "files"
_LISTS: Final = ".lists"
_BEGUN: Final = ".begun"

Place = tuple[Path, int]  # a file, and where in it a block begins


class Stock:
    """The files of one fleet's releases.

    Args:
        fleet: The operator's folder.

    Raises:
        OSError: the disk refused.
    """

    def __init__(self, fleet: Path) -> None:
        self._folder = fleet / RELEASES / _FILES
        make_private(self._folder)
        self._places: dict[str, Place] = {}
        for path in sorted(self._folder.iterdir()):
            if not path.suffix:
                self._learn(path)

    def add(self, source: Path) -> Content:
        """Take in a file.

        Raises:
            OSError: it cannot be read, or the disk is full.
        """
        begun = self._folder / f"{os.getpid()}{_BEGUN}"
        try:
            shutil.copyfile(source, begun)
            lists, whole = b"", hashlib.sha256()
            with begun.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    whole.update(block)
                    lists += hashlib.sha256(block).digest()
                os.fsync(file.fileno())
            path = self._folder / whole.hexdigest()
            if len(lists) > DIGEST_BYTES:
                store(path.with_suffix(_LISTS), lists)
            begun.rename(path)
        finally:
            begun.unlink(missing_ok=True)
        self._learn(path)
        return self.content(path.name)

    def put(self, data: bytes) -> Content:
        """Take in what is one block or less.

        Raises:
            OSError: the disk is full.
        """
        path = self._folder / digest(data)
        store(path, data)
        self._learn(path)
        return self.content(path.name)

    def content(self, sha256: str) -> Content:
        """What boards are told of a file.

        Raises:
            NotAFleetError: it is not here.
        """
        path = self.path(sha256)
        names = tuple(digest(each) for each in _lists(path))
        return Content(length=path.stat().st_size, sha256=sha256, lists=names)

    def path(self, sha256: str) -> Path:
        """Where a file lies.

        Raises:
            NotAFleetError: it is not here.
        """
        path = self._folder / sha256
        if not path.is_file():
            raise NotAFleetError(f"{path} is missing: restore it from a backup, or release it anew")
        return path

    def has(self, sha256: str) -> bool:
        """Whether a file is here."""
        return (self._folder / sha256).is_file()

    def drop(self, digests: Iterable[str]) -> int:
        """Delete files; return how many went.

        Raises:
            OSError: the disk refused.
        """
        gone = [path for each in digests if (path := self._folder / each).is_file()]
        for path in gone:
            path.unlink()
            path.with_suffix(_LISTS).unlink(missing_ok=True)
        return len(gone)

    def names(self, sha256: str) -> Iterator[str]:
        """The blocks of a file, in the order in which boards ask for them: lists first.

        Raises:
            NotAFleetError: it is not here.
        """
        lists = list(_lists(self.path(sha256)))
        if not lists:
            return iter((sha256,))
        blocks = (each[at : at + DIGEST_BYTES] for each in lists for at in _steps(each))
        return iter(dict.fromkeys([*map(digest, lists), *(name.hex() for name in blocks)]))

    def block(self, name: str) -> bytes | None:
        """A block; None: it is not here, or no longer what it was.

        Raises:
            OSError: the disk failed.
        """
        place = self._places.get(name)
        if place is None:
            return None
        path, at = place
        with path.open("rb") as file:
            file.seek(at)
            data = file.read(BLOCK_BYTES)
        return data if digest(data) == name else None

    def size_of(self, name: str) -> int:
        """The length of a block in bytes; 0: it is not here."""
        path, at = self._places.get(name, (None, 0))
        return 0 if path is None else min(BLOCK_BYTES, path.stat().st_size - at)

    @property
    def bytes(self) -> int:
        """All that is here, at most: blocks are counted as full."""
        return len(self._places) * BLOCK_BYTES

    def _learn(self, path: Path) -> None:
        lists = path.with_suffix(_LISTS)
        if not lists.exists():
            self._places[path.name] = (path, 0)
            return
        for number, each in enumerate(_lists(path)):
            self._places[digest(each)] = (lists, number * BLOCK_BYTES)
        names = lists.read_bytes()
        for number, at in enumerate(_steps(names)):
            self._places[names[at : at + DIGEST_BYTES].hex()] = (path, number * BLOCK_BYTES)


def _lists(path: Path) -> Iterator[bytes]:
    lists = path.with_suffix(_LISTS)
    names = lists.read_bytes() if lists.exists() else b""
    return (names[at : at + BLOCK_BYTES] for at in range(0, len(names), BLOCK_BYTES))


def _steps(names: bytes) -> range:
    return range(0, len(names), DIGEST_BYTES)
