"""An outbox on a disk that is full: what is refused changes nothing, what was there stays."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from agent.store.errors import OutboxFullError
from agent.store.outbox import Outbox, Parcel

NEVER_S = 1e12


class FullDisk(RuleBasedStateMachine):
    """A disk that is full now and then: what is refused changes nothing, what was there stays."""

    tickets: Bundle[UUID] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.outbox = Outbox(Path(self.folder.name) / "outbox.db")
        self.endings: dict[UUID, bytes | None] = {}

    @rule()
    def disk_fills(self) -> None:
        self.outbox._db.execute("PRAGMA max_page_count = 1")  # as many as there are: no more

    @rule()
    def disk_has_room(self) -> None:
        self.outbox._db.execute("PRAGMA max_page_count = 100000")

    @rule(target=tickets, number=st.integers(0, 20), pages=st.integers(0, 5))
    def put(self, number: int, pages: int) -> UUID:
        ticket = UUID(int=number)
        with contextlib.suppress(OutboxFullError):
            self.outbox.put(Parcel(ticket, b"e" * 4096 * pages, 1, 1e9), memo=b"m", due_s=0.0)
            self.endings.setdefault(ticket, None)
        return ticket

    @rule(ticket=tickets, pages=st.integers(0, 5))
    def end(self, ticket: UUID, pages: int) -> None:
        ending = b"a" * 4096 * pages
        with contextlib.suppress(OutboxFullError):
            if self.outbox.end({ticket: ending}):
                assert self.endings[ticket] is None
                self.endings[ticket] = ending

    @rule(ticket=tickets)
    def settle(self, ticket: UUID) -> None:
        with contextlib.suppress(OutboxFullError):
            self.outbox.settle([ticket])
            self.endings.pop(ticket, None)

    @rule()
    def flush(self) -> None:
        self.outbox.flush()

    @invariant()
    def it_holds_what_it_took(self) -> None:
        assert len(self.outbox) == len(self.endings)
        waiting = {ticket for ticket, ending in self.endings.items() if ending is None}
        assert {parcel.ticket for parcel in self.outbox.due(1.0)} == waiting
        for ticket in self.endings.keys() - waiting:
            assert self.outbox.ending(ticket) == self.endings[ticket]

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()


FullDisk.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestFullDisk = FullDisk.TestCase


def test_a_disk_that_is_really_full_refuses_and_forgets_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if shutil.which("/bin/mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can make a disk")
    try:
        outbox = Outbox(disk / "outbox.db")
        taken = []
        with contextlib.suppress(OutboxFullError):
            for number in range(1000):
                parcel = Parcel(UUID(int=number), b"e" * 4096, 1, NEVER_S)
                outbox.put(parcel, memo=b"m", due_s=0.0)
                taken.append(parcel.ticket)
        outbox.flush()
        assert 0 < len(taken) < 100
        outbox.close()

        again = Outbox(disk / "outbox.db")
        assert {parcel.ticket for parcel in again.due(1.0, limit=1000)} == set(taken)
        again.close()
    finally:
        subprocess.run(["/bin/umount", str(disk)], check=True)
