"""Puts a package together: from what is on the board, and what the broker brings.

    plan --> link what the board has --> is there room? --> patch or download --> FOLDER/<plan>

The folder appears under its name when all of it is there, verified and on the disk, and not before.
A file that the board has already, whatever package it came with, costs no byte and no space: it is
the same file. Whatever moment ends us, doing it again goes on where it was.
"""

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.update.blocks import BlockStore
from agent.update.disk import make_folder, sha256_of, sync_folder
from agent.update.download import Download
from agent.update.errors import ContentError, NoSpaceError
from agent.update.patch import PatchError, apply
from broker.wire.release import Content, Delta, FilePlan, PackagePlan

_log = logging.getLogger(__name__)

_UNLINKED: Final = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)
_MARGIN_BYTES: Final = 16 * 1024 * 1024  # of free disk that an update leaves to others


class OnBoard:
    """The files of the packages on this board, by digest; a file is read when it may matter.

    Args:
        packages: Folders, each of one package.
    """

    def __init__(self, packages: Iterable[Path]) -> None:
        self._unread: dict[int, list[Path]] = {}  # by length: another length is another file
        self._digests: dict[str, Path] = {}
        for folder in packages:
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path.is_file():
                    self._unread.setdefault(path.stat().st_size, []).append(path)

    def find(self, digest: str, length: int) -> Path | None:
        """A file with this content."""
        if digest not in self._digests:
            self._read(length)
        return self._digests.get(digest)

    def _read(self, length: int) -> None:
        for path in self._unread.pop(length, ()):
            try:
                self._digests[sha256_of(path)] = path
            except OSError as error:
                _log.warning("%s cannot be read: %s", path.name, error.strerror)


class Assembly:
    """Puts packages together in a folder.

    Args:
        folder: Where packages go, each named by the digest of its plan.
        store: Where downloads go; on the same disk.
        download: Brings what lacks.
        board: What is here already.
    """

    def __init__(
        self, *, folder: Path, store: BlockStore, download: Download, board: OnBoard
    ) -> None:
        make_folder(folder)
        self._folder = folder
        self._store = store
        self._download = download
        self._board = board
        self.counters = download.counters  # files_linked, patches_applied, ...

    def assemble(self, plan: PackagePlan, digest: str) -> Path:
        """Put a package together; its folder.

        Raises:
            NoSpaceError: the disk cannot hold it; told before anything is downloaded.
            StoppedError: we were told to stop.
            ContentError: what is vouched for contradicts itself.
            LineClosedError: there is no agent any more.
            OSError: the disk failed.
        """
        package, begun = self._folder / digest, self._folder / f".{digest}"
        if package.is_dir():
            self._store.drop(_digests(plan))  # if we were ended before we did
            return package
        names = [each.name for each in plan.files]
        if len(set(names)) != len(names):
            raise ContentError(f"{digest}: two files of one name")
        make_folder(begun)
        for path in begun.iterdir():
            if path.name not in names:
                path.unlink()
        lacking = [each for each in plan.files if not self._is_there(begun / each.name, each)]
        ways = [self._way(each, begun / each.name) for each in lacking]
        self._check_space(plan, ways)
        for way in ways:
            way.take()
            sync_folder(begun)  # before the store's own folder forgets the file's name there
        sync_folder(begun)
        begun.rename(package)
        sync_folder(self._folder)
        self._store.drop(_digests(plan))
        return package

    def _is_there(self, path: Path, wanted: FilePlan) -> bool:
        content = wanted.content
        if path.exists():  # we were ended after it was put there
            if path.stat().st_size == content.length and sha256_of(path) == content.sha256:
                return True
            path.unlink()
        here = self._board.find(content.sha256, content.length)
        if here is None:
            return False
        try:
            path.hardlink_to(here)
        except OSError as error:
            if error.errno not in _UNLINKED:
                raise
            return False
        self.counters["files_linked"] += 1
        return True

    def _way(self, wanted: FilePlan, path: Path) -> "_Way":
        content = wanted.content
        here = self._board.find(content.sha256, content.length)
        if here is not None:
            return _Way(lambda: self._copy(here, path), content.length)
        full = _Way(lambda: self._full(content, path), self._store.lacking_bytes(content))
        bases = ((each, self._board.find(each.base, each.base_length)) for each in wanted.deltas)
        known = [(each, base) for each, base in bases if base is not None]
        if not known:
            return full
        delta, base = min(known, key=lambda pair: pair[0].patch.length)
        patch_bytes = self._store.lacking_bytes(delta.patch)
        if patch_bytes >= full.bytes:  # most of the file is here already
            return full
        return _Way(lambda: self._patched(delta, base, content, path), patch_bytes + content.length)

    def _check_space(self, plan: PackagePlan, ways: Sequence["_Way"]) -> None:
        needed = sum(way.bytes for way in ways) + _MARGIN_BYTES
        if needed > (free := shutil.disk_usage(self._folder).free):
            self.counters["downloads_dropped"] += self._store.keep_only(_digests(plan))
            free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise NoSpaceError(needed, free)

    def _full(self, content: Content, path: Path) -> None:
        self._download.fetch(content).rename(path)
        self.counters["files_downloaded"] += 1

    def _copy(self, source: Path, path: Path) -> None:
        begun = path.with_name(f".{path.name}")
        shutil.copyfile(source, begun)
        with begun.open("rb") as file:
            os.fsync(file.fileno())
        begun.rename(path)
        self.counters["files_copied"] += 1

    def _patched(self, delta: Delta, base: Path, content: Content, path: Path) -> None:
        begun = path.with_name(f".{path.name}")
        patch = self._download.fetch(delta.patch)
        try:
            apply(delta.method, patch, base, begun, content)
        except PatchError as error:
            self.counters["patches_failed"] += 1
            _log.warning("the patch for %s is of no use: %s", path.name, error)
            begun.unlink(missing_ok=True)
            self._store.drop(_parts(delta.patch))
            self._full(content, path)
        else:
            begun.rename(path)
            self.counters["patches_applied"] += 1


@dataclass(frozen=True, slots=True)
class _Way:
    """How a file comes to be."""

    take: Callable[[], None]
    bytes: int  # of disk that it takes


def _parts(content: Content) -> set[str]:
    return {content.sha256, *content.lists}


def _digests(plan: PackagePlan) -> set[str]:
    patches = (delta.patch for each in plan.files for delta in each.deltas)
    contents = (each.content for each in plan.files)
    return {name for content in (*contents, *patches) for name in _parts(content)}
