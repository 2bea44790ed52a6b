"""Which questions are due, which are overdue, which answers are to be delivered. Only looks.

Of one rank, what was never sent goes before what is sent again, which a slow worker may still have;
a quarter of the places is for the latter all the same.
"""

from collections.abc import Container, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from agent.store import statements
from agent.store.database import Connection
from agent.store.times import Times

_BATCH = 64  # rows that a look returns at most: bounds memory, whatever waits
_AGAIN = 4  # one of so many places is for what is sent again, however much is new


@dataclass(frozen=True, slots=True)
class Parcel:
    """A sealed question ready to publish."""

    ticket: UUID
    envelope: bytes = field(repr=False)
    attempts: int  # how often it was published, as far as is known
    deadline_s: float  # Unix time, seconds


class _Place(NamedTuple):
    """Of a row, what the index alone tells."""

    rank: int
    deadline_s: float
    ticket: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The rows of an outbox, without those that are gone and still lie there."""

    db: Connection
    times: Times
    gone: Container[bytes]

    def due(self, now_s: float, limit: int = _BATCH) -> list[Parcel]:
        """Parcels to publish now: by rank, then those first whose time ends first."""
        chosen: list[_Place] = []
        with closing(self.db.execute(statements.WAITING)) as rows:
            for _, places in groupby(map(_Place._make, rows), itemgetter(0)):
                chosen += self._chosen(places, now_s, limit - len(chosen))
                if len(chosen) == limit:
                    break
        return [self._parcel(place) for place in chosen]

    def overdue(self, now_s: float) -> list[UUID]:
        """Tickets whose deadline has passed, oldest first."""
        return [
            UUID(bytes=each) for each in islice(self._tickets(statements.OVERDUE, now_s), _BATCH)
        ]

    def ended(self, now_s: float) -> list[UUID]:
        """Tickets that have an answer which is still to be delivered."""
        due = (each for each in self._tickets(statements.ENDED) if self.times.is_due(each, now_s))
        return [UUID(bytes=each) for each in islice(due, _BATCH)]

    def _chosen(self, places: Iterable[_Place], now_s: float, limit: int) -> list[_Place]:
        """Of one rank. What rests is passed over without reading it."""
        new: list[_Place] = []
        again: list[_Place] = []
        for place in places:
            if place.ticket in self.gone or place.deadline_s <= now_s:
                continue
            if self.times.is_due(place.ticket, now_s):
                (again if self.times.attempts(place.ticket) else new).append(place)
                if len(new) == limit:
                    break
        share = max(limit // _AGAIN, limit - len(new))
        return (again[:share] + new)[:limit]

    def _parcel(self, place: _Place) -> Parcel:
        (envelope,) = self.db.execute(statements.PARCEL, (place.number,)).fetchone()
        attempts = self.times.attempts(place.ticket)
        return Parcel(UUID(bytes=place.ticket), envelope, attempts, place.deadline_s)

    def _tickets(self, query: str, *values: float) -> Iterator[bytes]:
        with closing(self.db.execute(query, values)) as rows:
            yield from (ticket for (ticket,) in rows if ticket not in self.gone)
