"""The outbox against the simplest model of it: a dict that survives power cuts.

A power cut is a copy of the files as they lie on disk, opened in their place.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from agent.store.errors import UnknownTicketError
from agent.store.outbox import Outbox, Parcel

NEVER_S = 1e12
TIMES = st.integers(0, 1000).map(float)


@dataclass
class Row:
    due_s: float
    deadline_s: float
    attempts: int = 1
    ending: bytes | None = None


class OutboxMachine(RuleBasedStateMachine):
    tickets: Bundle[UUID] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.outbox = Outbox(self.path)
        self.rows: dict[UUID, Row] = {}
        self.lives = 0

    @rule(target=tickets, number=st.integers(0, 20), due_s=TIMES, deadline_s=TIMES)
    def put(self, number: int, due_s: float, deadline_s: float) -> UUID:
        ticket = UUID(int=number)
        parcel = Parcel(ticket, b"e", 1, deadline_s)

        added = self.outbox.put(parcel, memo=b"m", due_s=due_s)

        assert added == (ticket not in self.rows)
        self.rows.setdefault(ticket, Row(due_s, deadline_s))
        return ticket

    @rule(ticket=tickets, due_s=TIMES)
    def resend(self, ticket: UUID, due_s: float) -> None:
        self.outbox.resend_at(ticket, due_s)
        if row := self.rows.get(ticket):
            row.due_s, row.attempts = due_s, row.attempts + 1

    @rule(ticket=tickets, due_s=TIMES)
    def postpone(self, ticket: UUID, due_s: float) -> None:
        self.outbox.postpone(ticket, due_s)
        if row := self.rows.get(ticket):
            row.due_s = due_s

    @rule(now_s=TIMES)
    def hurry(self, now_s: float) -> None:
        self.outbox.hurry(now_s)
        for row in self.rows.values():
            if row.ending is None:
                row.due_s = min(row.due_s, now_s)

    @rule(ticket=tickets, ending=st.binary(min_size=1, max_size=3))
    def end(self, ticket: UUID, ending: bytes) -> None:
        row = self.rows.get(ticket)
        if row is None or row.ending is not None:
            with pytest.raises(UnknownTicketError):
                self.outbox.end(ticket, ending)
        else:
            self.outbox.end(ticket, ending)
            row.ending = ending

    @rule(ticket=tickets)
    def settle(self, ticket: UUID) -> None:
        self.outbox.settle(ticket)
        self.rows.pop(ticket, None)

    @rule()
    def flush(self) -> None:
        self.outbox.flush()

    @rule()
    def kill(self) -> None:
        """Opens a copy of the files as a killed process leaves them."""
        self.lives += 1
        copy = Path(self.folder.name) / f"life-{self.lives}"
        copy.mkdir()
        for file in self.path.parent.glob("outbox.db*"):
            shutil.copy(file, copy / file.name)
        self.outbox.close()
        self.path = copy / "outbox.db"
        self.outbox = Outbox(self.path)

    @invariant()
    def it_holds_what_the_dict_holds(self) -> None:
        waiting = {t: r for t, r in self.rows.items() if r.ending is None}
        assert len(self.outbox) == len(self.rows)
        for ticket, row in self.rows.items():
            if row.ending is not None:
                assert self.outbox.ending(ticket) == row.ending
        for now_s in (0.0, 500.0, 1000.0):
            due = self.outbox.due(now_s)
            expected = {
                t: r.attempts for t, r in waiting.items() if r.due_s <= now_s < r.deadline_s
            }
            assert {parcel.ticket: parcel.attempts for parcel in due} == expected
            assert [waiting[p.ticket].due_s for p in due] == sorted(
                waiting[p.ticket].due_s for p in due
            )
            overdue = {t for t, r in waiting.items() if r.deadline_s <= now_s}
            assert set(self.outbox.overdue(now_s)) == overdue
        assert set(self.outbox.ended(NEVER_S)) == set(self.rows) - set(waiting)

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()


OutboxMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestOutbox = OutboxMachine.TestCase
