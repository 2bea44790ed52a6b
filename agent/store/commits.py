"""How changes of a SQLite file reach the disk: one by one, many as one, waited for or not.

change                      with the operating system when it returns: survives a kill
with on_disk(): change      on the disk when it returns: survives a power cut
with as_one(): ...          all of them or none, for the price of one
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from agent.store.database import Connection, DiskError
from agent.store.errors import OutboxFullError


class Commits:
    """The changes of one connection. Use from one thread.

    Args:
        db: An open file.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._dirty = False

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
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")

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
