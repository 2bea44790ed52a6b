"""The durable steps of a program, seen from inside: it can be ended before any of them.

A step is a statement that changes a database, a file that gets or loses its name, a publish, an
acknowledgement. Between two of them nothing lasts, so these are all the places where a crash can
make a difference.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.wire.session import Message, Receipt, Session

_CHANGES = ("BEGIN", "COMMIT", "CREATE", "DELETE", "INSERT", "UPDATE")
_FILES = ("os.rename", "os.remove")
_SYNCHRONOUS = "PRAGMA synchronous = "

AtStep = Callable[[str], None]  # what it is


def watch(step: AtStep, syncing: Callable[[bool], None]) -> None:
    """Have `step` called before each durable step of this process, from now on."""

    def stated(statement: str) -> None:
        text = statement.lstrip()
        if text.startswith(_CHANGES):
            step(text.partition("\n")[0])
        elif text.startswith(_SYNCHRONOUS):
            syncing(text.endswith("FULL"))  # whether what follows waits for the disk

    def heard(event: str, _arguments: tuple[object, ...]) -> None:
        if event in _FILES:
            step(event)

    sys.addaudithook(heard)
    connect, publish, acknowledge = sqlite3.connect, Session.publish, Session.ack

    def connect_and_tell(path: Path, **options: Any) -> sqlite3.Connection:  # noqa: ANN401
        connection: sqlite3.Connection = connect(path, **options)
        connection.set_trace_callback(stated)
        return connection

    def publish_after(self: Session, message: Message) -> int:
        step(f"publish to {message.topic.rpartition('/')[2]}")
        return publish(self, message)

    def acknowledge_after(self: Session, receipt: Receipt) -> None:
        step("acknowledge")
        acknowledge(self, receipt)

    sqlite3.connect = connect_and_tell  # type: ignore[assignment]
    Session.publish = publish_after  # type: ignore[method-assign]
    Session.ack = acknowledge_after  # type: ignore[method-assign]


@dataclass(slots=True)
class Crash:
    """SIGKILL before the step with this number, counted from 1."""

    number: int
    note: Path  # says what the step would have been
    count: int = 0

    def step(self, what: str) -> None:
        """One step is about to be taken."""
        self.count += 1
        if self.count == self.number:
            self.note.write_text(what, encoding="utf-8")
            os.kill(os.getpid(), signal.SIGKILL)

    def syncing(self, _waits: bool) -> None:  # noqa: FBT001 - what was heard
        """A killed process loses nothing that it has written."""


@dataclass(slots=True)
class PowerCut:
    """Of what is written from a step on until the next wait for the disk, nothing stays.

    The database is copied to `copies` before the step, and the process ends before it waits for
    the disk: a cut may lose all in between, and nothing that came before or was waited for.
    """

    number: int
    note: Path
    database: Path
    copies: Path
    count: int = 0
    waits: bool = False

    def step(self, what: str) -> None:
        """One step is about to be taken."""
        self.count += 1
        if self.count == self.number:
            self.note.write_text(what, encoding="utf-8")
            self._copy()
            self._cut_if_waiting()

    def syncing(self, waits: bool) -> None:  # noqa: FBT001 - what was heard
        """What follows is on the disk once it is done."""
        self.waits = waits
        self._cut_if_waiting()

    def _cut_if_waiting(self) -> None:
        if self.waits and self.count >= self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def restore(self) -> None:
        """Let the database be what the disk had."""
        for path in (*files_of(self.database), Path(f"{self.database}-shm")):
            path.unlink(missing_ok=True)
        for path in self.copies.iterdir():
            path.replace(self.database.with_name(path.name))

    def _copy(self) -> None:
        # Closing these files drops SQLite's lock on the first; here nobody else wants it.
        for path in files_of(self.database):
            (self.copies / path.name).write_bytes(path.read_bytes())


def files_of(database: Path) -> list[Path]:
    """A database with its log; what maps the log into memory dies with the machine."""
    return [path for path in (database, Path(f"{database}-wal")) if path.exists()]
