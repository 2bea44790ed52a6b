"""The tickets that were settled lately: an input that comes again is not answered again.

    settle --> gone, in memory --with the next change--> row deleted, ticket in the ring

A crash may undo the removal of an input whose answer was delivered. Its ticket is remembered for
as long as that can happen, in a ring on the disk, one page for many of them, and in memory.
"""

from agent.store.commits import Commits
from agent.store.database import Connection

SETTLED_KEPT = 4096  # more inputs than a power cut can bring back
_ALL = "SELECT number, ticket FROM settled_ring ORDER BY number"
_NOTE = "INSERT OR REPLACE INTO settled_ring VALUES (?, ?, ?)"
_DELETE = "DELETE FROM outbox WHERE ticket = ?"


class Settled:
    """The last `SETTLED_KEPT` tickets, oldest first. Use from one thread."""

    def __init__(self, db: Connection, commits: Commits) -> None:
        self._commits = commits
        kept = db.execute(_ALL).fetchall()
        self._tickets = dict.fromkeys(ticket for _, ticket in kept)
        self._next = kept[-1][0] + 1 if kept else 0
        self.gone: dict[bytes, None] = {}  # whose rows are still on the disk, oldest first

    def __contains__(self, ticket: bytes) -> bool:
        return ticket in self._tickets

    def store(self) -> list[bytes]:
        """Delete the rows of those that are gone, in a change that others may be part of.

        Raises:
            OutboxFullError: the disk takes no more.
        """
        gone = list(self.gone)
        for number, ticket in enumerate(gone, self._next):
            self._commits.change(_DELETE, (ticket,))
            self._commits.change(_NOTE, (number % SETTLED_KEPT, number, ticket))
        return gone

    def stored(self, gone: list[bytes]) -> None:
        """That change was made."""
        self._next += len(gone)
        for ticket in gone:
            del self.gone[ticket]
            self._tickets.pop(ticket, None)  # to be the newest
            self._tickets[ticket] = None
        while len(self._tickets) > SETTLED_KEPT:
            del self._tickets[next(iter(self._tickets))]
