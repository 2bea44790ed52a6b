"""Claims and stored replies: each question is worked on once, and always gets the same reply.

    (none) --claim--> working --finish--> done --forget--> (none)
    (none) ------------finish-----------> done      an instant answer needs no claim before it
                      working --release-> (none)    refused after all, or the worker stops

A question is its device and ticket, whatever its seal: a device that had to seal it anew, since a
key of the pool was over, keeps what opens the replies to its earlier seals. So it is never worked
on twice here. A device that gives one ticket to two questions gets the first one's reply, which
only the first one's key opens.

A claim is a lease. It ends by itself, so the claim of a worker that died does not block the
question for ever; and a worker that starts alone on its file opens every unfinished claim.

No commit on the way of an answer waits for the disk (synchronous=NORMAL): the log is the operating
system's as soon as a commit returns, so a killed worker loses nothing. `persist`, called once a
second, brings them to the disk all at once. What a power cut takes in between costs computing it
once more: the device keeps its question until a reply is verified, and takes the first. Waiting
for the disk before each reply would be 0.2 ms of a 1.5 ms round trip.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import UUID

from broker.wire.topics import DeviceId
from cloud_worker.errors import ClaimStoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    device     TEXT NOT NULL,
    ticket     BLOB NOT NULL,
    request    BLOB NOT NULL,     -- SHA-256 of the seal that is worked on
    reply      BLOB,              -- sealed; NULL while a model works on it
    lease_s    REAL NOT NULL,     -- Unix time, seconds: from then on anyone may claim it
    expires_s  REAL NOT NULL,     -- Unix time, seconds: then nobody can ask it again
    PRIMARY KEY (device, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_expiry ON claims (expires_s);
CREATE TABLE IF NOT EXISTS persisted (id INTEGER PRIMARY KEY, times INTEGER NOT NULL) STRICT;
"""
_LOOK = "SELECT reply, lease_s FROM claims WHERE device = ? AND ticket = ?"
_CLAIM = "INSERT OR IGNORE INTO claims VALUES (?, ?, ?, NULL, ?, ?)"
_TAKE_OVER = """
UPDATE claims SET lease_s = ?, request = ?, expires_s = max(expires_s, ?)
WHERE device = ? AND ticket = ? AND reply IS NULL AND lease_s <= ?
"""
_FINISH = """
INSERT INTO claims VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET reply = excluded.reply
WHERE reply IS NULL AND request = excluded.request
"""
# Any commit with synchronous=FULL brings the whole log to the disk, those before it included.
_PERSIST = "INSERT INTO persisted VALUES (1, 1) ON CONFLICT DO UPDATE SET times = times + 1"
_RELEASE = "DELETE FROM claims WHERE device = ? AND ticket = ? AND reply IS NULL"
_FORGET = """
DELETE FROM claims WHERE (device, ticket) IN
(SELECT device, ticket FROM claims WHERE expires_s <= ? ORDER BY expires_s LIMIT ?)
"""
_BATCH = 256  # rows that one `forget` deletes at most: it runs between two questions


@dataclass(frozen=True, slots=True)
class Request:
    """What identifies one question, and until when it can be asked."""

    device: DeviceId
    ticket: UUID
    digest: bytes = field(repr=False)  # 32 bytes, SHA-256
    expires_s: float  # Unix time, seconds, slack included


@dataclass(frozen=True, slots=True)
class New:
    """Nobody works on it."""


@dataclass(frozen=True, slots=True)
class Working:
    """Somebody works on it; the reply will come."""


@dataclass(frozen=True, slots=True)
class Done:
    """It has this sealed reply."""

    reply: bytes = field(repr=False)


State = New | Working | Done


class ClaimStore:
    """Claims in one SQLite file, which the processes of a pool on one machine may share.

    Use from one thread. Every method raises ClaimStoreError when the disk refuses.

    Args:
        path: The file; made if missing.
        lease_s: For how long a claim holds; longer than any model takes.

    Raises:
        ClaimStoreError: the file is no claim store.
    """

    def __init__(self, path: Path, *, lease_s: float = 60.0) -> None:
        self._lease_s = lease_s
        self._unpersisted = False
        with ExitStack() as undo:
            try:
                self._users = os.open(f"{path}.users", os.O_RDWR | os.O_CREAT, 0o600)
                undo.callback(os.close, self._users)
                self._db = sqlite3.connect(path, isolation_level=None)
                undo.callback(self._db.close)
                self._prepare()
            except (OSError, sqlite3.Error) as error:
                raise ClaimStoreError(
                    f"{path}: {error}. Move the file away to start anew"
                ) from error
            self._close = undo.pop_all().close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def look(self, request: Request, *, now_s: float) -> State:
        """What has become of a question."""
        row = self._find(request)
        if row is None:
            return New()
        reply, lease_s = row
        if reply is not None:
            return Done(reply)
        return New() if lease_s <= now_s else Working()

    def claim(self, request: Request, *, now_s: float) -> State:
        """Claim a question: `New` if it is ours now, else what has become of it."""
        key = (request.device, request.ticket.bytes)
        until_s = now_s + self._lease_s
        if self._change(_CLAIM, (*key, request.digest, until_s, request.expires_s)):
            return New()
        seal = (until_s, request.digest, request.expires_s)
        if self._change(_TAKE_OVER, (*seal, *key, now_s)):
            return New()
        return self.look(request, now_s=now_s)

    def finish(self, request: Request, reply: bytes) -> bytes:
        """Store a question's reply; return the one that counts, which is the first."""
        self._unpersisted = True
        key = (request.device, request.ticket.bytes)
        if self._change(_FINISH, (*key, request.digest, reply, request.expires_s)):
            return reply
        stored = self.look(request, now_s=0.0)
        return stored.reply if isinstance(stored, Done) else reply

    def release(self, request: Request) -> None:
        """Give up a claim, so that anyone may claim it at once."""
        self._change(_RELEASE, (request.device, request.ticket.bytes))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is changed in here is one commit, when it ends."""
        self._change("BEGIN IMMEDIATE", ())
        try:
            yield
            self._change("COMMIT", ())
        except BaseException:
            with suppress(sqlite3.OperationalError):  # SQLite may have done so by itself
                self._db.execute("ROLLBACK")
            raise

    def persist(self) -> None:
        """Wait until the replies that were stored are on the disk."""
        if not self._unpersisted:
            return
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            self._change(_PERSIST, ())
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")
        self._unpersisted = False

    def forget(self, *, now_s: float) -> int:
        """Delete some of what nobody can ask again; return how many."""
        return self._change(_FORGET, (now_s, _BATCH))

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._open_claims_of_the_dead()

    def _open_claims_of_the_dead(self) -> None:
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # others are alive: theirs stay, those of the dead run out
            pass
        else:
            self._db.execute("DELETE FROM claims WHERE reply IS NULL")
        fcntl.flock(self._users, fcntl.LOCK_SH)  # the system lets go of it however we end

    def _find(self, request: Request) -> tuple[bytes | None, float] | None:
        key = (request.device, request.ticket.bytes)
        try:
            row: tuple[bytes | None, float] | None = self._db.execute(_LOOK, key).fetchone()
        except sqlite3.OperationalError as error:
            raise ClaimStoreError(f"the claims cannot be read: {error}") from error
        return row

    def _change(self, statement: str, values: tuple[object, ...]) -> int:
        try:
            return self._db.execute(statement, values).rowcount
        except sqlite3.OperationalError as error:
            raise ClaimStoreError(f"the claims cannot be written: {error}") from error
