"""What the outbox says to SQLite."""

PUT = "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?, NULL, ?, ?)"
PUT_ENDED = "INSERT OR IGNORE INTO outbox VALUES (?, x'', x'', ?, 0, 0)"
KNOWS = "SELECT EXISTS (SELECT 1 FROM outbox WHERE ticket = ?)"
# Which row is where, from the index alone: those that were published lately are passed over.
WAITING = """
SELECT rank, deadline_s, ticket, rowid FROM outbox INDEXED BY outbox_waiting
WHERE ending IS NULL ORDER BY rank, deadline_s
"""
PARCEL = "SELECT envelope FROM outbox WHERE rowid = ?"
OVERDUE = """
SELECT ticket FROM outbox INDEXED BY outbox_waiting
WHERE ending IS NULL AND rank IN (0, 1, 2) AND deadline_s <= ? ORDER BY deadline_s
"""
ENDED = "SELECT ticket FROM outbox WHERE ending IS NOT NULL"
# Nobody waits longer than this from now on: the clock was later when the row was stored.
CLAMP = "UPDATE outbox SET deadline_s = ?1 WHERE ending IS NULL AND deadline_s > ?1"
RESEAL = "UPDATE outbox SET envelope = ?, memo = ? WHERE ticket = ?"
# What was needed to ask goes at once, the secret that opens replies with it: a smaller row, too.
END = """
UPDATE outbox SET ending = ?, envelope = x'', memo = x'' WHERE ticket = ? AND ending IS NULL
"""
SET = "INSERT INTO device VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
