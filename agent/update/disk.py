"""What the disk can be asked to do so that it is done: places in files, names in folders, space."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.update.errors import NoSpaceError

_READ_BYTES: Final = 1 << 18
_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def sha256_of(path: Path) -> str:
    """The digest of a file, read piece by piece and not kept in memory that others need.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return digest_of(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's names: a rename is durable only then.

    Raises:
        OSError: the disk failed.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder, and those that it lies in, so that the disk has them.

    Raises:
        OSError: the disk failed.
    """
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def digest_of(descriptor: int) -> str:
    """The digest of an open file.

    Raises:
        OSError: it cannot be read.
    """
    hashed, at = hashlib.sha256(), 0
    while data := os.pread(descriptor, _READ_BYTES, at):
        hashed.update(data)
        forget(descriptor, at, len(data))
        at += len(data)
    return hashed.hexdigest()


def write_at(descriptor: int, data: bytes, at: int) -> None:
    """Write all of it to its place.

    Raises:
        OSError: the disk failed, or is full.
    """
    left = memoryview(data)
    while left:
        written = os.pwrite(descriptor, left, at)
        left, at = left[written:], at + written


def forget(descriptor: int, at: int, length: int) -> None:
    """Keep this out of the page cache, once it is on the disk: the model that runs needs that."""
    os.posix_fadvise(descriptor, at, length, os.POSIX_FADV_DONTNEED)


@contextmanager
def room_for(needed: int, folder: Path) -> Iterator[None]:
    """Say plainly that the disk is full, when it is.

    Raises:
        NoSpaceError: `needed` bytes found no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise NoSpaceError(needed, shutil.disk_usage(folder).free) from error
