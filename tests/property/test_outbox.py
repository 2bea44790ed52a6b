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

from agent.store.errors import OutboxFullError
from agent.store.outbox import Outbox, Parcel
from agent.store.settled import SETTLED_KEPT

NEVER_S = 1e12
TIMES = st.integers(0, 1000).map(float)


@dataclass
class Row:
    due_s: float
    deadline_s: float
    rank: int = 1
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
        self.gone: dict[UUID, Row] = {}  # settled, and a kill brings it back
        self.settled: set[UUID] = set()
        self.lives = 0

    @rule(
        target=tickets,
        number=st.integers(0, 20),
        due_s=TIMES,
        deadline_s=TIMES,
        rank=st.integers(0, 2),
    )
    def put(self, number: int, due_s: float, deadline_s: float, rank: int) -> UUID:
        ticket = UUID(int=number)
        parcel = Parcel(ticket, b"e", 1, deadline_s)

        known = self.rows.keys() | self.gone.keys() | self.settled
        assert self.outbox.knows(ticket) == (ticket in known)
        if ticket in self.gone:
            self.forget()
        added = self.outbox.put(parcel, memo=b"m", due_s=due_s, rank=rank)

        assert added == (ticket not in self.rows)
        self.rows.setdefault(ticket, Row(due_s, deadline_s, rank))
        return ticket

    @rule(ticket=tickets, due_s=TIMES)
    def resend(self, ticket: UUID, due_s: float) -> None:
        self.outbox.resend_at([(ticket, due_s)])
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
            if row.attempts:
                row.due_s = min(row.due_s, now_s)

    @rule(ticket=tickets, due_s=TIMES)
    def hold(self, ticket: UUID, due_s: float) -> None:
        self.outbox.hold(ticket, due_s)
        if row := self.rows.get(ticket):
            row.due_s, row.attempts = due_s, 0

    @rule(ticket=tickets)
    def unsent(self, ticket: UUID) -> None:
        self.outbox.unsent(ticket)
        if row := self.rows.get(ticket):
            row.due_s, row.attempts = 0.0, 0

    @rule(now_s=TIMES)
    def release(self, now_s: float) -> None:
        self.outbox.release(now_s)
        for row in self.rows.values():
            if not row.attempts:
                row.due_s = min(row.due_s, now_s)

    @rule(endings=st.dictionaries(tickets, st.binary(min_size=1, max_size=3), max_size=4))
    def end(self, endings: dict[UUID, bytes]) -> None:
        first = {t for t in endings if t in self.rows and self.rows[t].ending is None}

        assert self.outbox.end(endings) == first

        self.forget()
        for ticket in first:
            self.rows[ticket].ending = endings[ticket]

    @rule(settled=st.lists(tickets, max_size=4))
    def settle(self, settled: list[UUID]) -> None:
        self.outbox.settle(settled)
        for ticket in settled:
            if row := self.rows.pop(ticket, None):
                self.gone[ticket] = row

    @rule()
    def tidy(self) -> None:
        self.outbox.tidy()
        self.forget()

    @rule()
    def flush(self) -> None:
        self.outbox.flush()
        self.forget()

    def forget(self) -> None:
        self.settled |= self.gone.keys()
        self.gone.clear()

    @rule()
    def kill(self) -> None:
        """Opens a copy of the files as a killed process leaves them."""
        self.lives += 1
        (copy := Path(self.folder.name) / f"life-{self.lives}").mkdir()
        for file in self.path.parent.glob("outbox.db*"):
            shutil.copy(file, copy / file.name)
        self.rows |= self.gone
        self.gone.clear()
        for row in self.rows.values():  # when it was to be sent again is not on the disk
            row.due_s, row.attempts = 0.0, 0
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
            rows = [waiting[parcel.ticket] for parcel in due]
            order = [(row.rank, row.attempts == 0, row.deadline_s) for row in rows]
            assert order == sorted(order)
            overdue = {t for t, r in waiting.items() if r.deadline_s <= now_s}
            assert set(self.outbox.overdue(now_s)) == overdue
        assert set(self.outbox.ended(NEVER_S)) == set(self.rows) - set(waiting)

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()


OutboxMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestOutbox = OutboxMachine.TestCase


def test_more_answers_than_a_power_cut_brings_back_are_remembered(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    for number in range(SETTLED_KEPT + 10):
        outbox.put_ended(UUID(int=number), b"a", due_s=0.0)
        outbox.settle([UUID(int=number)])
        outbox.tidy()

    kept = [number for number in range(SETTLED_KEPT + 10) if outbox.knows(UUID(int=number))]
    outbox.close()

    assert kept == list(range(10, SETTLED_KEPT + 10))


def test_an_answer_that_an_earlier_life_did_not_deliver_is_due_at_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put(Parcel(UUID(int=1), b"e", 1, NEVER_S), memo=b"m", due_s=500.0)
    outbox.end({UUID(int=1): b"a"})
    outbox.close()

    outbox = Outbox(tmp_path / "outbox.db")
    ended = outbox.ended(1.0)
    outbox.close()

    assert ended == [UUID(int=1)]


def test_numbers_are_stored_with_their_question_or_not_at_all(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    parcel = Parcel(UUID(int=1), b"e", 1, NEVER_S)

    assert outbox.put(parcel, memo=b"m", due_s=500.0, numbers={"left": 2.0})
    assert not outbox.put(parcel, memo=b"m", due_s=500.0, numbers={"left": 1.0})

    assert outbox.number("left") == 2.0
    outbox.close()
    assert Outbox(tmp_path / "outbox.db").number("left") == 2.0


def test_after_a_full_disk_questions_and_numbers_are_stored_again(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    large = Parcel(UUID(int=1), b"e" * 100_000, 1, NEVER_S)
    with pytest.raises(OutboxFullError):
        outbox.put(large, memo=b"m", due_s=500.0, numbers={"left": 1.0})
    assert len(outbox) == 0
    assert outbox.number("left") == 0.0

    outbox._db.execute("PRAGMA max_page_count = 100000")
    assert outbox.put(large, memo=b"m", due_s=500.0, numbers={"left": 3.0})

    outbox.close()
    again = Outbox(tmp_path / "outbox.db")
    assert (len(again), again.number("left")) == (1, 3.0)
    again.close()


def test_an_answer_is_on_the_disk_before_anybody_sees_it(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put(Parcel(UUID(int=1), b"e", 1, NEVER_S), memo=b"m", due_s=500.0)
    said: list[str] = []
    outbox._db.set_trace_callback(
        lambda statement: said.append(statement.strip().partition(" outbox")[0])
    )

    outbox.end({UUID(int=1): b"a"})
    outbox.close()

    begun = ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"]
    assert said == [*begun, "UPDATE", "COMMIT", "PRAGMA synchronous = NORMAL"]
