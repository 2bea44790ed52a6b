"""Downloads on the board's disk. A block goes straight to its place in the file that it is of.

    FOLDER/<sha256>.part    a file of which some blocks are there
    FOLDER/<sha256>         all of them: read once more as a whole, and right

Each block is on the disk before the next is taken, so a power cut costs the one that was being
written. No journal says which are there: on return the file is read and each block is compared with
its name, so nothing can be believed that the disk does not have. A file takes its whole length of
the disk at once, so that it cannot run out of space half way.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from agent.update.disk import make_folder, room_for, sha256_of
from agent.update.part import Part
from broker.wire.files import write_durably
from broker.wire.release import Content

_PART: Final = ".part"


class BlockStore:
    """A folder of downloads, whole ones and parts, for one process at a time.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        for begun in folder.glob(".*"):  # by who was ended while it wrote
            begun.unlink()
        self._folder = folder

    def whole(self, content: Content) -> Path | None:
        """The file, if all of it is there; it is read to be sure.

        Raises:
            OSError: the disk failed.
        """
        path = self._folder / content.sha256
        if not path.exists():
            return None
        if path.stat().st_size == content.length and sha256_of(path) == content.sha256:
            return path
        path.unlink()
        return None

    def put(self, content: Content, data: bytes) -> Path:
        """Store a content of one block, which must be right.

        Raises:
            NoSpaceError: the disk is full.
            OSError: the disk failed.
        """
        path = self._folder / content.sha256
        with room_for(len(data), self._folder):
            write_durably(path, data)
        return path

    def part(self, content: Content, names: tuple[str, ...]) -> Part:
        """A file to be completed, with what is there of it already.

        Raises:
            NoSpaceError: the disk cannot hold it.
            OSError: the disk failed.
        """
        return Part(self._folder / f"{content.sha256}{_PART}", content, names)

    def lacking_bytes(self, content: Content) -> int:
        """What a content would still take of the disk."""
        path = self._folder / content.sha256
        begun = path.exists() or path.with_suffix(_PART).exists()
        return 0 if begun else content.length

    def drop(self, digests: AbstractSet[str]) -> int:
        """Delete these, whole or part; return how many files went."""
        return self._delete(path for path in self._folder.iterdir() if path.stem in digests)

    def keep_only(self, digests: AbstractSet[str]) -> int:
        """Delete all but these; return how many files went."""
        return self._delete(path for path in self._folder.iterdir() if path.stem not in digests)

    @staticmethod
    def _delete(paths: Iterator[Path]) -> int:
        gone = list(paths)
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)
