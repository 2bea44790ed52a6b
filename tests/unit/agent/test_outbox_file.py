"""What the outbox's file is like: one of an earlier version, and what a question writes into it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from agent.store.errors import StoreError, UnknownTicketError
from agent.store.outbox import Outbox, Parcel

NEVER_S = 1e12
WAITS, ANSWERED, SETTLED = (UUID(int=number) for number in (1, 2, 3))
# As version 0.1 made it until November 2026.
EARLIER = """
CREATE TABLE outbox (ticket BLOB PRIMARY KEY, envelope BLOB NOT NULL, memo BLOB NOT NULL,
    ending BLOB, attempts INTEGER NOT NULL, due_s REAL NOT NULL, deadline_s REAL NOT NULL) STRICT;
CREATE INDEX outbox_times ON outbox (due_s, deadline_s);
CREATE INDEX outbox_ended ON outbox (due_s) WHERE ending IS NOT NULL;
CREATE TABLE settled (number INTEGER PRIMARY KEY, ticket BLOB NOT NULL UNIQUE) STRICT;
CREATE TRIGGER outbox_settled AFTER DELETE ON outbox BEGIN
    INSERT OR IGNORE INTO settled (ticket) VALUES (old.ticket);
    DELETE FROM settled WHERE number <= (SELECT max(number) FROM settled) - 4096;
END;
"""


def test_a_file_of_an_earlier_version_keeps_what_waits_what_is_answered_and_what_is_settled(
    tmp_path: Path,
) -> None:
    with closing(sqlite3.connect(tmp_path / "outbox.db", isolation_level=None)) as earlier:
        earlier.executescript(EARLIER)
        rows = [(WAITS, None), (ANSWERED, b"a"), (SETTLED, b"a")]
        for ticket, ending in rows:
            insert = "INSERT INTO outbox VALUES (?, x'65', x'6d', ?, 3, 500.0, 1e9)"
            earlier.execute(insert, (ticket.bytes, ending))
        earlier.execute("DELETE FROM outbox WHERE ticket = ?", (SETTLED.bytes,))

    for _ in range(2):  # the second time it is ours
        with closing(Outbox(tmp_path / "outbox.db")) as outbox:
            assert outbox.due(1.0) == [Parcel(WAITS, b"e", 0, 1e9)]
            assert outbox.ended(1.0) == [ANSWERED]
            assert outbox.knows(SETTLED)
            assert not outbox.knows(UUID(int=4))


def test_a_lower_rank_is_sent_first_and_of_one_rank_what_ends_first(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        for number, (rank, deadline_s) in enumerate([(2, 5.0), (1, 9.0), (1, 8.0), (0, 7.0)]):
            parcel = Parcel(UUID(int=number), b"e", 1, deadline_s)
            outbox.put(parcel, memo=b"m", due_s=0.0, rank=rank)

        due = [parcel.ticket.int for parcel in outbox.due(1.0)]

    assert due == [3, 2, 1, 0]


def test_what_was_sent_is_passed_over_without_reading_it(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        for number in range(300):
            parcel = Parcel(UUID(int=number), b"e", 1, NEVER_S)
            outbox.put(parcel, memo=b"m", due_s=0.0 if number == 200 else 500.0)
        read: list[str] = []
        outbox._db.set_trace_callback(read.append)

        [due] = outbox.due(1.0)

    assert due.ticket == UUID(int=200)
    assert len([each for each in read if each.startswith("SELECT envelope")]) == 1


def test_what_is_sent_again_has_a_quarter_of_the_places_and_those_that_nobody_wants(
    tmp_path: Path,
) -> None:
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        for number in range(30):
            parcel = Parcel(UUID(int=number), b"e", 1, NEVER_S + number)
            outbox.put(parcel, memo=b"m", due_s=0.0)
            if number >= 20:
                outbox.unsent(parcel.ticket)

        few, many = ([each.ticket.int for each in outbox.due(1.0, limit)] for limit in (8, 40))

    assert few == [0, 1, *range(20, 26)]
    assert many == list(range(30))


def test_sending_again_writes_nothing(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        outbox.put(Parcel(WAITS, b"e", 1, NEVER_S), memo=b"m", due_s=0.0)
        before = (tmp_path / "outbox.db-wal").stat().st_size

        outbox.resend_at([(WAITS, 5.0)])
        outbox.postpone(WAITS, 6.0)
        outbox.hurry(1.0)
        outbox.hold(WAITS, 1.0)
        outbox.release(0.0)
        outbox.unsent(WAITS)

        assert (tmp_path / "outbox.db-wal").stat().st_size == before


def test_a_question_writes_its_bytes_and_little_more(tmp_path: Path) -> None:
    log, of_them = tmp_path / "outbox.db-wal", 20
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        start = log.stat().st_size
        for number in range(of_them):
            ticket = UUID(int=number << 100)
            outbox.put(Parcel(ticket, bytes(1400), 1, NEVER_S), memo=bytes(700), due_s=0.0)
            outbox.end({ticket: bytes(300)})
            outbox.settle([ticket])
            outbox.tidy()
        written = (log.stat().st_size - start) / of_them

    assert written < 18 * 1024  # with pages of 4 KiB, and times on the disk, it was 60


def test_a_file_that_is_no_outbox_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"no database " * 100)

    with pytest.raises(StoreError, match="Move the file away to start anew"):
        Outbox(tmp_path / "outbox.db")


def test_what_was_never_asked_is_unknown(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")

    for look in (outbox.memo, outbox.deadline_s, outbox.ending):
        with pytest.raises(UnknownTicketError):
            look(UUID(int=1))

    outbox.close()
