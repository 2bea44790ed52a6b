"""How changes of a SQLite file reach the disk: one by one, many as one, waited for or not.

change                      with the operating system when it returns: survives a kill
with on_disk(): change      on the disk when it returns: survives a power cut
with later(): on_disk ...   on the disk after `persist`, which waits once for all of them
with as_one(): ...          all of them or none, for the price of one
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from agent.store.database import Connection, DiskError
from agent.store.errors import OutboxFullError

# Any commit with synchronous=FULL brings the whole log to the disk, those before it included.
_PERSIST = """
INSERT INTO device VALUES ('persisted', 1) ON CONFLICT DO UPDATE SET value = value + 1
"""


class Commits:
    """The changes of one connection. Use from one thread.

    Args:
        db: An open file.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._dirty = False
        self._is_later = False
        self.owes = False  # something is to be on the disk, and may not be

    def change(self, statement: str, row: tuple[object, ...] = ()) -> int:
        """Change something; return how many rows.

        Raises:
            OutboxFullError: the disk takes no more.
        """
        self._dirty = True
        try:
            return self._db.execute(statement, row).rowcount
        except DiskError as error:
            raise OutboxFullError(f"the outbox cannot be written: {error}") from error

    @contextmanager
    def on_disk(self) -> Iterator[None]:
        """What is committed in here is on the disk when its commit returns."""
        if self._is_later:
            self.owes = True
            yield
            return
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def later(self) -> Iterator[None]:
        """What is to be on the disk in here waits for `persist`."""
        self._is_later = True
        try:
            yield
        finally:
            self._is_later = False

    def persist(self) -> None:
        """Wait until all is on the disk.

        Raises:
            OutboxFullError: the disk takes no more.
        """
        if self.owes:
            with self.on_disk():
                self.change(_PERSIST)
            self.owes = False

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """What is changed in here is changed together, when it ends, or not at all."""
        self.change("BEGIN IMMEDIATE")
        try:
            yield
            self.change("COMMIT")
        except BaseException:
            with suppress(DiskError):  # SQLite may have done so by itself
                self._db.execute("ROLLBACK")
            raise

    def flush(self) -> None:
        """Bring to the disk what did not wait for it."""
        if self._dirty:
            with suppress(DiskError):  # no room: at the next time
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._dirty = False
