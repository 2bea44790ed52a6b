"""Which names each conversation has given, so that a later question gives the same ones.

    turn:     (task, name) --> Past --mask--> Past with the new names --keep--> on disk

A row is named by a keyed hash of task and conversation, and sealed: a stolen card tells neither
names nor values. Any thread may take turns; they come one after another, so two questions can
never give one name to two values. What was kept survives a kill and a power cut. A conversation
ends when nobody has used it for a while.
"""

import hmac
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from uuid import UUID

from agent.core.pseudonyms import NOTHING, Past
from agent.store.database import DiskError, connect, opening
from agent.store.errors import OutboxFullError, StoreError
from agent.store.memo import Safe

MOST_VALUES = 1000  # of one conversation: each question that waits carries them
_TOUCHES = 24  # of its lifetime: how exactly it is noted when a conversation was used
_LOOKS = 60  # of its lifetime: how often the ended ones are looked for
_HASH = "sha256"
_SURROGATES = b"surrogates\0"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    name    BLOB PRIMARY KEY,  -- keyed hash
    past    BLOB NOT NULL,     -- sealed to ourselves, see memo.py
    used_s  REAL NOT NULL      -- Unix time, seconds
) STRICT;
"""
_GET = "SELECT past, used_s FROM conversations WHERE name = ?"
_PUT = "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?)"
_TOUCH = "UPDATE conversations SET used_s = ? WHERE name = ?"
# A clock that was set back must not keep a conversation for ever.
_END = "DELETE FROM conversations WHERE used_s NOT BETWEEN ? AND ?"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation."""

    past: Past
    keep: Callable[[Past], None]  # on disk when it returns


class Conversations:
    """The conversations of one device, in the outbox's file.

    Args:
        path: The file; made if missing.
        key: 32 bytes, the device's storage key.
        lifetime_s: Seconds after its last use at which a conversation ends.
        now_s: Unix time, seconds.
        count: What nobody else would notice.

    Raises:
        StoreError: the file is no such database.
    """

    def __init__(
        self,
        path: Path,
        *,
        key: bytes,
        lifetime_s: float,
        now_s: Callable[[], float],
        count: Callable[[str], None],
    ) -> None:
        self._safe = Safe(key)
        self._key = hmac.digest(key, b"fl/v1 names of conversations", _HASH)
        self._lifetime_s, self._now_s, self._count = lifetime_s, now_s, count
        self._looked_s = 0.0
        self._turns = RLock()
        with opening(path):
            self._db = connect(path, _SCHEMA, any_thread=True)
            self._db.execute("PRAGMA synchronous = FULL")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def turn(self, task: str, conversation: str, ticket: UUID) -> Iterator[Turn]:
        """Have a conversation alone for one question; "" is one of that question only.

        Keeping raises OutboxFullError when the disk takes no more.
        """
        named = f"{task}\0{conversation or ticket}".encode(errors="surrogatepass")  # files' names
        name = hmac.digest(self._key, named, _HASH)
        key = hmac.digest(self._key, _SURROGATES + name, _HASH)
        if not conversation:
            yield Turn(Past(key=key), _forget)
            return
        with self._turns:
            past = replace(self._past(name), key=key)
            yield Turn(past, lambda now: self._keep(name, past, now))

    def expire(self) -> None:
        """Forget the conversations that have ended, if it is time to look for them."""
        now_s = self._now_s()
        if abs(now_s - self._looked_s) < self._lifetime_s / _LOOKS:
            return
        with self._turns:
            bounds = (now_s - self._lifetime_s, now_s + self._lifetime_s)
            ended = self._change(_END, bounds)
        self._looked_s = now_s
        for _ in range(ended):
            self._count("conversations_ended")

    def _past(self, name: bytes) -> Past:
        row = self._db.execute(_GET, (name,)).fetchone()
        now_s = self._now_s()
        if row is None or abs(now_s - row[1]) > self._lifetime_s:
            return NOTHING
        if abs(now_s - row[1]) > self._lifetime_s / _TOUCHES:
            with suppress(OutboxFullError):  # it ends a little early
                self._change(_TOUCH, (now_s, name))
        try:
            return self._safe.open_past(name, row[0])
        except StoreError as error:
            _log.error("a conversation is lost: %s", error)
            self._count("conversations_lost")
            return NOTHING

    def _keep(self, name: bytes, before: Past, now: Past) -> None:
        if now is before:
            return
        for _ in now.given[:-MOST_VALUES]:
            self._count("pseudonyms_forgotten")
        sealed = self._safe.seal_past(name, replace(now, given=now.given[-MOST_VALUES:]))
        self._change(_PUT, (name, sealed, self._now_s()))

    def _change(self, statement: str, row: tuple[object, ...]) -> int:
        try:
            return self._db.execute(statement, row).rowcount
        except DiskError as error:
            raise OutboxFullError(f"conversations cannot be kept: {error}") from error


def _forget(_past: Past) -> None:
    """Nobody asks again."""
