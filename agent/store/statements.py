"""What the outbox says to SQLite."""

PUT = """
INSERT OR IGNORE INTO outbox (ticket, envelope, memo, attempts, due_s, deadline_s)
VALUES (?, ?, ?, 1, ?, ?)
"""
PUT_ENDED = """
INSERT OR IGNORE INTO outbox (ticket, envelope, memo, ending, attempts, due_s, deadline_s)
VALUES (?, x'', x'', ?, 1, ?, 0)
"""
DUE = """
SELECT ticket, envelope, attempts, deadline_s FROM outbox
WHERE due_s <= ?1 AND ending IS NULL AND deadline_s > ?1 ORDER BY due_s LIMIT ?2
"""
OVERDUE = """
SELECT ticket FROM outbox
WHERE due_s <= ?1 AND ending IS NULL AND deadline_s <= ?1 ORDER BY due_s LIMIT ?2
"""
ENDED = "SELECT ticket FROM outbox WHERE due_s <= ?1 AND ending IS NOT NULL ORDER BY due_s LIMIT ?2"
# A question is due at its deadline at the latest; a row that was never a question has none (0).
RESEND = """
UPDATE outbox SET attempts = attempts + 1, due_s = min(?, deadline_s)
WHERE ticket = ? AND ending IS NULL
"""
POSTPONE = """
UPDATE outbox SET due_s = CASE WHEN ending IS NULL THEN min(?1, deadline_s) ELSE ?1 END
WHERE ticket = ?2
"""
HOLD = "UPDATE outbox SET attempts = 0, due_s = min(?, deadline_s) WHERE ticket = ?"
# Nobody waits longer than this from now on: the clock was later when the row was stored.
CLAMP = """
UPDATE outbox SET due_s = min(due_s, ?1), deadline_s = ?2
WHERE ending IS NULL AND deadline_s > ?2
"""
HURRY = "UPDATE outbox SET due_s = ? WHERE ending IS NULL AND attempts > 0 AND due_s > ?"
RELEASE = "UPDATE outbox SET due_s = ? WHERE ending IS NULL AND attempts = 0 AND due_s > ?"
RESEAL = "UPDATE outbox SET envelope = ?, memo = ?, due_s = ? WHERE ticket = ?"
END = "UPDATE outbox SET ending = ? WHERE ticket = ? AND ending IS NULL"
SETTLE = "DELETE FROM outbox WHERE ticket = ?"
SET = "INSERT INTO device VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
