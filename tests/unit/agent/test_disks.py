"""A disk that takes no more: a small one that is really full, and one that cannot be written."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.stages import Origin
from agent.store.errors import OutboxFullError, UnknownTicketError
from tests.asker import Asker
from tests.simulator import CloudSimulator
from tests.unit.agent.device import (
    FIRST,
    PATIENCE_S,
    SECOND,
    Clock,
    Device,
    Shelf,
    make_task,
    opened,
)

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Disk:
    """Where the outbox lies."""

    device: Device
    filler: Path | None  # None: it is made read-only instead

    def fail(self) -> None:
        """It takes no more from now on."""
        if self.filler is None:
            self.device.outbox._db.execute("PRAGMA query_only = ON")
            return
        with self.filler.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(b"0" * size):
                        pass
                except OSError:
                    continue

    def heal(self) -> None:
        """It takes everything again."""
        if self.filler is None:
            self.device.outbox._db.execute("PRAGMA query_only = OFF")
        else:
            self.filler.unlink()


@pytest.fixture(params=["full", "read-only"])
def disk(request: pytest.FixtureRequest, asker: Asker, tmp_path: Path) -> Iterator[Disk]:
    shelf, is_full = Shelf(), request.param == "full"
    with mounted(tmp_path / "disk", is_full=is_full) as folder:
        file, task = folder / "outbox.db", make_task(shelf)
        with opened(asker.credentials, file, Clock(), shelf, task) as device:
            yield Disk(device, folder / "filler" if is_full else None)


@contextmanager
def mounted(folder: Path, *, is_full: bool) -> Iterator[Path]:
    """A file system of a megabyte, if it is to be full."""
    folder.mkdir()
    if not is_full:
        yield folder
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MIB}", "firstline", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root only, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - as in every shell


def test_a_question_is_answered_here_at_once_and_asked_again_when_there_is_room(disk: Disk) -> None:
    disk.fail()

    assert disk.device.ask("lights on") is None

    [delivery] = disk.device.delivered
    assert delivery.origin is Origin.DEGRADED
    assert delivery.flags[-1].startswith("not asked: the outbox cannot be written")
    disk.heal()
    assert disk.device.ask("lights on", SECOND) is not None


def test_a_question_whose_time_is_over_is_answered_once_although_nothing_can_be_noted(
    disk: Disk, cloud: CloudSimulator
) -> None:
    device = disk.device
    parcel = device.escalate("lights on")
    device.clock.now_s += PATIENCE_S
    disk.fail()

    for _ in range(3):
        device.pipeline.expire("no worker is listening")
        device.pipeline.redeliver()

    assert [delivery.origin for delivery in device.delivered] == [Origin.DEGRADED]
    assert device.counted == ["outbox_full"]
    with pytest.raises(OutboxFullError):
        device.outbox.tidy()
    assert device.carry(cloud, parcel) == [UnknownTicketError]
    disk.heal()
    device.outbox.flush()
    assert len(device.outbox) == 0
    assert device.outbox.knows(FIRST)


def test_a_reply_waits_until_it_can_be_noted_and_is_delivered_once(
    disk: Disk, cloud: CloudSimulator
) -> None:
    device = disk.device
    parcel = device.escalate("lights on")
    disk.fail()

    with pytest.raises(OutboxFullError):
        device.carry(cloud, parcel)
    assert device.delivered == []

    disk.heal()
    assert device.carry(cloud, parcel, parcel) == [UnknownTicketError]
    assert [delivery.answer for delivery in device.delivered] == ["lights on"]


def test_an_answer_that_was_noted_is_delivered_once_although_its_end_cannot_be(disk: Disk) -> None:
    device = disk.device
    device.escalate("lights on")
    device.clock.now_s += PATIENCE_S
    device.shelf.closed = True
    device.pipeline.expire("no worker is listening")
    device.shelf.closed = False
    device.clock.now_s += PATIENCE_S
    disk.fail()

    for _ in range(3):
        device.pipeline.redeliver()
        with pytest.raises(OutboxFullError):
            device.outbox.tidy()

    assert len(device.delivered) == 1
