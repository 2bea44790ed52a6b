"""Which questions are due, which are overdue, which answers are to be delivered. Only looks."""

from collections.abc import Container, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from agent.store import statements
from agent.store.database import Connection
from agent.store.times import Times

_BATCH = 64  # rows that a look returns at most: bounds memory, whatever waits


@dataclass(frozen=True, slots=True)
class Parcel:
    """A sealed question ready to publish."""

    ticket: UUID
    envelope: bytes = field(repr=False)
    attempts: int  # how often it was published, as far as is known
    deadline_s: float  # Unix time, seconds


@dataclass(frozen=True, slots=True)
class Waiting:
    """The rows of an outbox, without those that are gone and still lie there."""

    db: Connection
    times: Times
    gone: Container[bytes]

    def due(self, now_s: float, limit: int = _BATCH) -> list[Parcel]:
        """Parcels to publish now: by rank, then those first whose time ends first."""
        found = (each for each in self._rested(now_s) if each.deadline_s > now_s)
        return list(islice(found, limit))

    def overdue(self, now_s: float) -> list[UUID]:
        """Tickets whose deadline has passed, oldest first."""
        return [
            UUID(bytes=each) for each in islice(self._tickets(statements.OVERDUE, now_s), _BATCH)
        ]

    def ended(self, now_s: float) -> list[UUID]:
        """Tickets that have an answer which is still to be delivered."""
        due = (each for each in self._tickets(statements.ENDED) if self.times.is_due(each, now_s))
        return [UUID(bytes=each) for each in islice(due, _BATCH)]

    def _rested(self, now_s: float) -> Iterator[Parcel]:
        # By the index alone: what was published lately is passed over without reading it.
        with closing(self.db.execute(statements.WAITING)) as rows:
            for number, ticket in rows:
                if ticket not in self.gone and self.times.is_due(ticket, now_s):
                    found = self.db.execute(statements.PARCEL, (number,)).fetchone()
                    envelope, deadline_s = found
                    attempts = self.times.attempts(ticket)
                    yield Parcel(UUID(bytes=ticket), envelope, attempts, deadline_s)

    def _tickets(self, query: str, *values: float) -> Iterator[bytes]:
        with closing(self.db.execute(query, values)) as rows:
            yield from (ticket for (ticket,) in rows if ticket not in self.gone)
