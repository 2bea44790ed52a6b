"""How the device opens its SQLite file. The only module that imports sqlite3."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.store.errors import StoreError

Connection = sqlite3.Connection
DiskError = sqlite3.OperationalError  # no room, a disk that fails, a lock held for too long
_CACHE_KIB = 512
# A page is what is written when a byte of it changes. Of small ones a question touches as many as
# of large ones, but for its own few hundred bytes: half as much wears out the card.
_PAGE_BYTES = 1024  # of a new file
_LOG_PAGES = 4000  # of the log, before it goes into the file


def connect(path: Path, schema: str, *, any_thread: bool = False) -> Connection:
    """Open a file, made if missing. What is committed survives the process, not yet a power cut."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=not any_thread)
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.executescript(schema)
    return connection


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Whatever goes wrong in here, the file is none of ours.

    Raises:
        StoreError: always in place of SQLite's own errors.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}. Move the file away to start anew") from error
