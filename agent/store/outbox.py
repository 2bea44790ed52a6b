"""The outbox: sealed questions on their way to an answer.

    (none) --put--> waiting --end--> ended --settle--> (none)
    (none) --put_ended--> ended      an answer that no output took yet

A row waits until a verified reply or its deadline, never until a PUBACK: the broker's
acknowledgement is not delivery. Ending stores the answer before it is delivered, so that a
crash between the two repeats that answer and can never give a second, different one.

Every transition is one SQLite transaction. Only `put` waits for the disk (synchronous=FULL):
of the others a power cut costs at most a repeat, which the ticket makes harmless. `flush`, called
when the device has time, brings them to the disk too.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from agent.store import statements
from agent.store.errors import OutboxFullError, StoreError, UnknownTicketError
from agent.store.schema import ANSWERS_ARE_DUE, KNOWS, SCHEMA

_BATCH = 64  # rows a query returns at most: bounds memory, whatever waits
_CACHE_KIB = 512
NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Parcel:
    """A sealed question ready to publish."""

    ticket: UUID
    envelope: bytes = field(repr=False)
    attempts: int
    deadline_s: float  # Unix time, seconds


class Outbox:
    """A durable queue in one SQLite file. Use from one thread.

    Args:
        path: The file; made if missing.
        max_rows: More questions than this are refused.

    Every change raises OutboxFullError when the disk takes no more.

    Raises:
        StoreError: the file is no outbox.
    """

    def __init__(self, path: Path, *, max_rows: int = 100_000) -> None:
        self._max_rows = max_rows
        self._dirty = False
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._db.executescript(SCHEMA)
            with suppress(sqlite3.OperationalError):  # no room: each when its time comes
                self._db.execute(ANSWERS_ARE_DUE)
            (self._rows,) = self._db.execute("SELECT count(*) FROM outbox").fetchone()
            self._numbers = dict(self._db.execute("SELECT name, value FROM device").fetchall())
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}. Move the file away to start anew") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __len__(self) -> int:
        return int(self._rows)

    def put(
        self,
        parcel: Parcel,
        *,
        memo: bytes,
        due_s: float,
        numbers: Mapping[str, float] = NO_NUMBERS,
    ) -> bool:
        """Queue a sealed question, and remember numbers with it, on disk when this returns.

        False if it already is there; then nothing is changed.

        Raises:
            OutboxFullError: no room.
        """
        if self._rows >= self._max_rows:
            raise OutboxFullError(f"the outbox holds its limit of {self._max_rows} questions")
        due_s = min(due_s, parcel.deadline_s)
        row = (parcel.ticket.bytes, parcel.envelope, memo, due_s, parcel.deadline_s)
        with self._on_disk(), self._together(numbers):
            added = self._insert(statements.PUT, row)
            for number in numbers.items() if added else ():
                self._change(statements.SET, number)
        self._numbers |= numbers if added else {}
        return added

    def put_ended(self, ticket: UUID, ending: bytes, *, due_s: float) -> None:
        """Keep an answer that no output took, to try again at `due_s`.

        Raises:
            OutboxFullError: no room.
        """
        with self._on_disk():
            self._insert(statements.PUT_ENDED, (ticket.bytes, ending, due_s))

    def knows(self, ticket: UUID) -> bool:
        """Whether a ticket waits here, or was settled a short while ago."""
        (known,) = self._db.execute(KNOWS, (ticket.bytes,)).fetchone()
        return bool(known)

    def due(self, now_s: float, limit: int = _BATCH) -> list[Parcel]:
        """Parcels to publish now, oldest first."""
        rows = self._db.execute(statements.DUE, (now_s, limit)).fetchall()
        return [Parcel(UUID(bytes=row[0]), *row[1:]) for row in rows]

    def overdue(self, now_s: float) -> list[UUID]:
        """Tickets whose deadline has passed, oldest first."""
        return self._tickets(statements.OVERDUE, now_s)

    def ended(self, now_s: float) -> list[UUID]:
        """Tickets that have an answer which is still to be delivered."""
        return self._tickets(statements.ENDED, now_s)

    def resend_at(self, ticket: UUID, due_s: float) -> None:
        """It was published again; once more at `due_s`."""
        self._change(statements.RESEND, (due_s, ticket.bytes))

    def postpone(self, ticket: UUID, due_s: float) -> None:
        """It was not published, or not taken; try at `due_s`."""
        self._change(statements.POSTPONE, (due_s, ticket.bytes))

    def hurry(self, now_s: float) -> None:
        """Somebody listens now: all that waits is due."""
        self._change(statements.HURRY, (now_s, now_s))

    def reseal(self, ticket: UUID, *, envelope: bytes, memo: bytes, due_s: float) -> None:
        """Replace a parcel that can no longer be opened by one that can."""
        with self._on_disk():
            self._change(statements.RESEAL, (envelope, memo, due_s, ticket.bytes))

    def memo(self, ticket: UUID) -> bytes:
        """What `put` stored for this ticket, while it has no answer.

        Raises:
            UnknownTicketError: already answered, expired, or never ours.
        """
        query = "SELECT memo FROM outbox WHERE ticket = ? AND ending IS NULL"
        return bytes(self._column(query, ticket))

    def deadline_s(self, ticket: UUID) -> float:
        """When waiting for this ticket's answer ends, Unix time.

        Raises:
            UnknownTicketError: not ours.
        """
        query = "SELECT deadline_s FROM outbox WHERE ticket = ?"
        return float(self._column(query, ticket))

    def ending(self, ticket: UUID) -> bytes:
        """The answer that `end` stored.

        Raises:
            UnknownTicketError: there is none.
        """
        query = "SELECT ending FROM outbox WHERE ticket = ? AND ending IS NOT NULL"
        return bytes(self._column(query, ticket))

    def end(self, ticket: UUID, ending: bytes) -> None:
        """Store the one answer of a question.

        Raises:
            UnknownTicketError: it has an answer already, or is not ours.
        """
        if self._change(statements.END, (ending, ticket.bytes)) == 0:
            raise UnknownTicketError(str(ticket))

    def settle(self, ticket: UUID) -> None:
        """The answer has been delivered; forget the question."""
        self._rows -= self._change(statements.SETTLE, (ticket.bytes,))

    def flush(self) -> None:
        """Bring to the disk what does not wait for it by itself."""
        if self._dirty:
            with suppress(sqlite3.OperationalError):  # no room: at the next time
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._dirty = False

    def number(self, name: str, first: float = 0.0) -> float:
        """A number that the device remembers, `first` at first."""
        return float(self._numbers.get(name, first))

    def remember(self, name: str, value: float) -> None:
        """Remember a number."""
        self._change(statements.SET, (name, value))
        self._numbers[name] = value

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _together(self, more: Mapping[str, float]) -> Iterator[None]:
        """One transaction, if there is more than one statement."""
        if not more:
            yield
            return
        rows = self._rows
        self._change("BEGIN IMMEDIATE", ())
        try:
            yield
            self._change("COMMIT", ())
        except OutboxFullError:
            self._rows = rows
            with suppress(sqlite3.OperationalError):  # SQLite may have done so by itself
                self._db.execute("ROLLBACK")
            raise

    def _insert(self, statement: str, row: tuple[object, ...]) -> bool:
        added = self._change(statement, row)
        self._rows += added
        return added == 1

    def _change(self, statement: str, row: tuple[object, ...]) -> int:
        self._dirty = True
        try:
            return self._db.execute(statement, row).rowcount
        except sqlite3.OperationalError as error:
            raise OutboxFullError(f"the outbox cannot be written: {error}") from error

    def _tickets(self, query: str, now_s: float) -> list[UUID]:
        return [UUID(bytes=row[0]) for row in self._db.execute(query, (now_s, _BATCH)).fetchall()]

    def _column(self, query: str, ticket: UUID) -> Any:  # noqa: ANN401 - the column's own type
        row = self._db.execute(query, (ticket.bytes,)).fetchone()
        if row is None:
            raise UnknownTicketError(str(ticket))
        return row[0]
