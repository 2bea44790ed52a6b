"""The outbox: sealed questions on their way to an answer.

    (none) --put--> waiting --end--> ended --settle--> (none)
    (none) --put_ended--> ended      an answer that no output took yet

A row waits until a verified reply or its deadline, never until a PUBACK: the broker's
acknowledgement is not delivery. Ending stores the answer before it is delivered, so that a
crash between the two repeats that answer and can never give a second, different one.

Every transition is one SQLite transaction, or one for many rows. `put` and `end` wait for the disk:
a question that was taken is never lost, and an answer that somebody saw is the only one. What was
settled is forgotten with the next answers, or by `tidy`: what a crash takes of that costs a repeat
at most. When a question is sent again is not on the disk at all.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from agent.store import statements
from agent.store.commits import Commits
from agent.store.database import connect, opening
from agent.store.errors import OutboxFullError, UnknownTicketError
from agent.store.schema import USUAL_RANK, prepare
from agent.store.settled import Settled
from agent.store.times import Times
from agent.store.waiting import Parcel, Waiting

__all__ = ["NO_NUMBERS", "Outbox", "Parcel"]

NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


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
            self._db = connect(path, "")
            prepare(self._db)
            self.commits = self._commits = Commits(self._db)
            self._settled = Settled(self._db, self._commits)
            self._times = Times()
            self._look = Waiting(self._db, self._times, self._settled.gone)
            (self._rows,) = self._db.execute("SELECT count(*) FROM outbox").fetchone()
            self._numbers = dict(self._db.execute("SELECT name, value FROM device").fetchall())

    def close(self) -> None:
        """Close the file."""
        with suppress(OutboxFullError):
            self.tidy()
        self._db.close()

    def __len__(self) -> int:
        return int(self._rows) - len(self._settled.gone)

    def put(
        self,
        parcel: Parcel,
        *,
        memo: bytes,
        due_s: float,
        numbers: Mapping[str, float] = NO_NUMBERS,
        rank: int = USUAL_RANK,
    ) -> bool:
        """Queue a sealed question, and remember numbers with it, on disk when this returns.

        False if it already is there; then nothing is changed. It is about to be published, and to
        be published again at `due_s`.

        Raises:
            OutboxFullError: no room.
        """
        if self._rows >= self._max_rows:
            raise OutboxFullError(f"the outbox holds its limit of {self._max_rows} questions")
        ticket = parcel.ticket.bytes
        if ticket in self._settled.gone:
            self.tidy()
        row = (ticket, parcel.envelope, memo, parcel.deadline_s, rank)
        with self._commits.on_disk(), self._commits.as_one() if numbers else nullcontext():
            added = self._commits.change(statements.PUT, row)
            for number in numbers.items() if added else ():
                self._commits.change(statements.SET, number)
        self._rows += added
        if added:
            self._numbers |= numbers
            self._times.published(ticket, due_s)
        return added == 1

    def put_ended(self, ticket: UUID, ending: bytes, *, due_s: float) -> None:
        """Keep an answer that no output took, to try again at `due_s`.

        Raises:
            OutboxFullError: no room.
        """
        with self._commits.on_disk():
            self._rows += self._commits.change(statements.PUT_ENDED, (ticket.bytes, ending))
        self._times.postpone(ticket.bytes, due_s)

    def knows(self, ticket: UUID) -> bool:
        """Whether a ticket waits here, or was settled a short while ago."""
        (known,) = self._db.execute(statements.KNOWS, (ticket.bytes,)).fetchone()
        return bool(known) or ticket.bytes in self._settled

    def due(self, now_s: float, limit: int = 64) -> list[Parcel]:
        """See `Waiting`, and so the next two."""
        return self._look.due(now_s, limit)

    def overdue(self, now_s: float) -> list[UUID]:
        """What has waited too long."""
        return self._look.overdue(now_s)

    def ended(self, now_s: float) -> list[UUID]:
        """What is to be delivered."""
        return self._look.ended(now_s)

    def resend_at(self, times: Iterable[tuple[UUID, float]]) -> None:
        """These were published again; each once more at its time."""
        for ticket, due_s in times:
            self._times.published(ticket.bytes, due_s)

    def postpone(self, ticket: UUID, due_s: float) -> None:
        """It was not taken, by a worker or an output; try at `due_s`."""
        self._times.postpone(ticket.bytes, due_s)

    def hold(self, ticket: UUID, due_s: float) -> None:
        """It is not published before `due_s`."""
        self._times.hold(ticket.bytes, due_s)

    def unsent(self, ticket: UUID) -> None:
        """It could not be published; it is due."""
        self._times.forget(ticket.bytes)

    def hurry(self, now_s: float) -> None:
        """Somebody listens now: all that waits for an answer is due."""
        self._times.hurry(now_s)

    def release(self, now_s: float) -> None:
        """What was held back, and so has never been published, is due."""
        self._times.release(now_s)

    def clamp(self, now_s: float, longest_s: float) -> int:
        """No question waits longer than `longest_s` from now; return how many would have."""
        return self._commits.change(statements.CLAMP, (now_s + longest_s,))

    def reseal(self, ticket: UUID, *, envelope: bytes, memo: bytes, due_s: float) -> None:
        """Replace a parcel that can no longer be opened by one that can."""
        with self._commits.on_disk():
            self._commits.change(statements.RESEAL, (envelope, memo, ticket.bytes))
        self._times.postpone(ticket.bytes, due_s)

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
        with self._commits.on_disk(), self._forgetting():
            taken = {
                ticket
                for ticket, ending in endings.items()
                if self._commits.change(statements.END, (ending, ticket.bytes))
            }
        for ticket in taken:
            self._times.forget(ticket.bytes)
        return taken

    def settle(self, tickets: Iterable[UUID]) -> None:
        """These answers have been delivered; forget the questions, on the disk soon."""
        for each in tickets:
            (known,) = self._db.execute(statements.KNOWS, (each.bytes,)).fetchone()
            if known:
                self._settled.gone[each.bytes] = None

    def tidy(self) -> None:
        """Forget on the disk what was settled."""
        if self._settled.gone:
            with self._forgetting():
                pass

    def flush(self) -> None:
        """Bring to the disk what does not wait for it by itself."""
        self.tidy()
        self._commits.flush()

    def number(self, name: str, first: float = 0.0) -> float:
        """A number that the device remembers, `first` at first."""
        return float(self._numbers.get(name, first))

    def remember(self, name: str, value: float) -> None:
        """Remember a number."""
        self._commits.change(statements.SET, (name, value))
        self._numbers[name] = value

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Changes that are made together with forgetting what was settled."""
        with self._commits.as_one():
            gone = self._settled.store()
            yield
        self._settled.stored(gone)
        self._rows -= len(gone)
        for ticket in gone:
            self._times.forget(ticket)

    def _column(self, query: str, ticket: UUID) -> Any:  # noqa: ANN401 - the column's own type
        row = self._db.execute(query, (ticket.bytes,)).fetchone()
        if row is None or ticket.bytes in self._settled.gone:
            raise UnknownTicketError(str(ticket))
        return row[0]
