"""The outbox: sealed questions on their way to an answer.

    (none) --put--> waiting --end--> ended --settle--> (none)
    (none) --put_ended--> ended      an answer that no output took yet

A row waits until a verified reply or its deadline, never until a PUBACK: the broker's
acknowledgement is not delivery. Ending stores the answer before it is delivered, so that a
crash between the two repeats that answer and can never give a second, different one.

Every transition is one SQLite transaction, or one for many rows. `put` and `end` wait for the disk:
a question that was taken is never lost, and an answer that somebody saw is the only one. What a
power cut takes of the others costs a repeat at most. `flush` brings them to the disk too.
"""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from agent.store import statements
from agent.store.commits import Commits
from agent.store.database import DiskError, connect, opening
from agent.store.errors import OutboxFullError, UnknownTicketError
from agent.store.schema import ANSWERS_ARE_DUE, KNOWS, SCHEMA

_BATCH = 64  # rows a query returns at most: bounds memory, whatever waits
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
        with opening(path):
            self._db = connect(path, SCHEMA)
            self._commits = Commits(self._db)
            self._settled: set[UUID] = set()  # that the disk does not know of yet
            with suppress(DiskError):  # no room: each when its time comes
                self._db.execute(ANSWERS_ARE_DUE)
            (self._rows,) = self._db.execute("SELECT count(*) FROM outbox").fetchone()
            self._numbers = dict(self._db.execute("SELECT name, value FROM device").fetchall())

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
        with self._commits.on_disk(), self._commits.as_one() if numbers else nullcontext():
            added = self._commits.change(statements.PUT, row)
            for number in numbers.items() if added else ():
                self._commits.change(statements.SET, number)
        self._rows += added
        self._numbers |= numbers if added else {}
        return added == 1

    def put_ended(self, ticket: UUID, ending: bytes, *, due_s: float) -> None:
        """Keep an answer that no output took, to try again at `due_s`.

        Raises:
            OutboxFullError: no room.
        """
        with self._commits.on_disk():
            self._rows += self._commits.change(statements.PUT_ENDED, (ticket.bytes, ending, due_s))

    def knows(self, ticket: UUID) -> bool:
        """Whether a ticket waits here, or was settled a short while ago."""
        (known,) = self._db.execute(KNOWS, (ticket.bytes,)).fetchone()
        return bool(known)

    def due(self, now_s: float, limit: int = _BATCH) -> list[Parcel]:
        """Parcels to publish now, oldest first."""
        rows = self._db.execute(statements.DUE, (now_s, limit + len(self._settled))).fetchall()
        found = (Parcel(UUID(bytes=row[0]), *row[1:]) for row in rows)
        return [each for each in found if each.ticket not in self._settled][:limit]

    def overdue(self, now_s: float) -> list[UUID]:
        """Tickets whose deadline has passed, oldest first."""
        return self._tickets(statements.OVERDUE, now_s)

    def ended(self, now_s: float) -> list[UUID]:
        """Tickets that have an answer which is still to be delivered."""
        return self._tickets(statements.ENDED, now_s)

    def resend_at(self, times: Iterable[tuple[UUID, float]]) -> None:
        """These were published again; each once more at its time."""
        with self._commits.as_one():
            for ticket, due_s in times:
                self._commits.change(statements.RESEND, (due_s, ticket.bytes))

    def postpone(self, ticket: UUID, due_s: float) -> None:
        """It was not published, or not taken; try at `due_s`."""
        self._commits.change(statements.POSTPONE, (due_s, ticket.bytes))

    def hold(self, ticket: UUID, due_s: float) -> None:
        """It has never been published so far; try at `due_s`."""
        self._commits.change(statements.HOLD, (due_s, ticket.bytes))

    def hurry(self, now_s: float) -> None:
        """Somebody listens now: all that waits for an answer is due."""
        self._commits.change(statements.HURRY, (now_s, now_s))

    def release(self, now_s: float) -> None:
        """What was held back, and so has never been published, is due."""
        self._commits.change(statements.RELEASE, (now_s, now_s))

    def clamp(self, now_s: float, longest_s: float) -> int:
        """No question waits longer than `longest_s` from now; return how many would have."""
        return self._commits.change(statements.CLAMP, (now_s, now_s + longest_s))

    def reseal(self, ticket: UUID, *, envelope: bytes, memo: bytes, due_s: float) -> None:
        """Replace a parcel that can no longer be opened by one that can."""
        with self._commits.on_disk():
            self._commits.change(statements.RESEAL, (envelope, memo, due_s, ticket.bytes))

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

    def end(self, endings: Mapping[UUID, bytes]) -> set[UUID]:
        """Store the one answer of each question, on disk when this returns.

        Return those that took it; the others have an answer already, or are not ours.
        """
        with self._commits.on_disk(), self._commits.as_one():
            return {
                ticket
                for ticket, ending in endings.items()
                if self._commits.change(statements.END, (ending, ticket.bytes))
            }

    def settle(self, tickets: Iterable[UUID]) -> None:
        """These answers have been delivered; forget the questions.

        If the disk takes no more, they are forgotten here, and on the disk with those that follow.
        """
        self._settled.update(tickets)
        with self._commits.as_one():
            rows = [(each.bytes,) for each in self._settled]
            gone = sum(self._commits.change(statements.SETTLE, row) for row in rows)
        self._rows -= gone
        self._settled.clear()

    def flush(self) -> None:
        """Bring to the disk what does not wait for it by itself."""
        if self._settled:
            self.settle(())
        self._commits.flush()

    def number(self, name: str, first: float = 0.0) -> float:
        """A number that the device remembers, `first` at first."""
        return float(self._numbers.get(name, first))

    def remember(self, name: str, value: float) -> None:
        """Remember a number."""
        self._commits.change(statements.SET, (name, value))
        self._numbers[name] = value

    def _tickets(self, query: str, now_s: float) -> list[UUID]:
        rows = self._db.execute(query, (now_s, _BATCH + len(self._settled))).fetchall()
        return [each for row in rows if (each := UUID(bytes=row[0])) not in self._settled]

    def _column(self, query: str, ticket: UUID) -> Any:  # noqa: ANN401 - the column's own type
        row = self._db.execute(query, (ticket.bytes,)).fetchone()
        if row is None or ticket in self._settled:
            raise UnknownTicketError(str(ticket))
        return row[0]
