"""The outbox's tables, what SQLite itself keeps true of them, and what outlives a crash."""

# A ticket that was settled is remembered for a while: an input whose removal a crash undid comes
# again under its old ticket, and must not be answered a second time.
SETTLED_KEPT = 4096  # more inputs than a power cut can bring back

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS outbox (
    ticket       BLOB PRIMARY KEY,
    envelope     BLOB NOT NULL,     -- sealed to the pool; empty in a row that was never a question
    memo         BLOB NOT NULL,     -- sealed to ourselves, see memo.py
    ending       BLOB,              -- sealed to ourselves: the answer, once there is one
    attempts     INTEGER NOT NULL,
    due_s        REAL NOT NULL,     -- Unix time, seconds: next attempt, or the deadline
    deadline_s   REAL NOT NULL      -- Unix time, seconds: give up waiting
) STRICT;
-- One index for what waits: each page less is time that every question waits for the disk. With the
-- deadline, or a look for those overdue would read all that is due.
DROP INDEX IF EXISTS outbox_due;
CREATE INDEX IF NOT EXISTS outbox_times ON outbox (due_s, deadline_s);
CREATE INDEX IF NOT EXISTS outbox_ended ON outbox (due_s) WHERE ending IS NOT NULL;
CREATE TABLE IF NOT EXISTS settled (
    number       INTEGER PRIMARY KEY,  -- rises with time
    ticket       BLOB NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER IF NOT EXISTS outbox_settled AFTER DELETE ON outbox BEGIN
    INSERT OR IGNORE INTO settled (ticket) VALUES (old.ticket);
    DELETE FROM settled WHERE number <= (SELECT max(number) FROM settled) - {SETTLED_KEPT};
END;
CREATE TABLE IF NOT EXISTS device (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT;
"""  # noqa: S608 - a number of ours
# What an earlier life answered and did not deliver; it is still due when its question was.
ANSWERS_ARE_DUE = "UPDATE outbox SET due_s = 0 WHERE ending IS NOT NULL"
KNOWS = """
SELECT EXISTS (SELECT 1 FROM outbox WHERE ticket = ?1)
OR EXISTS (SELECT 1 FROM settled WHERE ticket = ?1)
"""
