"""The outbox's tables, and the way to them from those of an earlier version."""

from agent.store.database import Connection
from agent.store.settled import SETTLED_KEPT

USUAL_RANK = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    ticket       BLOB PRIMARY KEY,
    envelope     BLOB NOT NULL,     -- sealed to the pool; empty in a row that was never a question
    memo         BLOB NOT NULL,     -- sealed to ourselves, see memo.py
    ending       BLOB,              -- sealed to ourselves: the answer, once there is one
    deadline_s   REAL NOT NULL,     -- Unix time, seconds: give up waiting
    rank         INTEGER NOT NULL   -- the lowest is sent first
) STRICT;
-- One index for what waits, and none that changes as it is sent: each page less is time that every
-- question waits for the disk, and wear of the card.
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (rank, deadline_s, ticket)
WHERE ending IS NULL;
CREATE INDEX IF NOT EXISTS outbox_answers ON outbox (ticket) WHERE ending IS NOT NULL;
CREATE TABLE IF NOT EXISTS settled_ring (
    place        INTEGER PRIMARY KEY,  -- see settled.py
    number       INTEGER NOT NULL,     -- rises with time
    ticket       BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS device (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT;
"""
# Once each row knew when it was to be sent again, and a trigger kept who was settled.
_EARLIER = f"""
BEGIN IMMEDIATE;
CREATE TABLE settled_ring (place INTEGER PRIMARY KEY, number INTEGER NOT NULL, ticket BLOB NOT NULL)
STRICT;
INSERT OR REPLACE INTO settled_ring SELECT number % {SETTLED_KEPT}, number, ticket FROM settled;
DROP TRIGGER outbox_settled;
DROP TABLE settled;
DROP INDEX IF EXISTS outbox_due;
DROP INDEX IF EXISTS outbox_times;
DROP INDEX IF EXISTS outbox_ended;
ALTER TABLE outbox DROP COLUMN attempts;
ALTER TABLE outbox DROP COLUMN due_s;
ALTER TABLE outbox ADD COLUMN rank INTEGER NOT NULL DEFAULT {USUAL_RANK};
COMMIT;
"""  # noqa: S608 - numbers of ours
_COLUMNS = "SELECT name FROM pragma_table_info('outbox')"


def prepare(db: Connection) -> None:
    """Make the tables if they are missing; make those of an earlier version ours."""
    if "due_s" in {name for (name,) in db.execute(_COLUMNS)}:
        db.executescript(_EARLIER)
    db.executescript(_SCHEMA)
