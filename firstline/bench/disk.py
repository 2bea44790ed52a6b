"""What is written to a disk: by a process, as the kernel accounts it, and by all, as the disk does.

/proc/PID/io           write_bytes: what a process makes dirty of files on disks, proc(5)
/sys/dev/block/M:N     sectors written, with what the file system adds, whoever wrote
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firstline.bench import proc

_IN_MEMORY = ("tmpfs", "ramfs")
_SECTOR_BYTES = 512  # of /sys/block/*/stat, whatever the disk's own are


class NoDiskError(Exception):
    """What is there is in memory."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Bytes written so far."""

    process: int  # by a process and those that it started
    disk: int | None  # by everybody; None: nobody counts

    def __sub__(self, before: "Tally") -> "Tally":
        both = self.disk is not None and before.disk is not None
        disk = self.disk - before.disk if both else None  # type: ignore[operator] # see `both`
        return Tally(self.process - before.process, disk)


class Disk:
    """The disk under a folder.

    Raises:
        NoDiskError: the folder is in memory.
    """

    def __init__(self, folder: Path) -> None:
        device = folder.stat().st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()  # proc(5)
        kinds = {line.split()[2]: line.partition(" - ")[2].split()[0] for line in mounts}
        if kinds.get(number) in _IN_MEMORY:
            raise NoDiskError(f"{folder} is in memory: name a folder on a disk")
        self._folder = folder
        self._counter = Path(f"/sys/dev/block/{number}/stat")  # none of a layer, as in a container

    def tally(self, pid: int) -> Tally:
        """Count, once what the file system keeps in memory is on the disk."""
        subprocess.run(["/bin/sync", "-f", str(self._folder)], check=True)  # noqa: S603 - a folder
        on_disk = self._sectors() * _SECTOR_BYTES if self._counter.exists() else None
        return Tally(written_bytes(pid), on_disk)

    def _sectors(self) -> int:
        """Sectors written so far, Documentation/block/stat.rst."""
        return int(self._counter.read_text(encoding="ascii").split()[6])


def written_bytes(pid: int) -> int:
    """Bytes that a process and those that it started have written so far, or have yet to write."""
    total = proc.written_bytes(pid)
    for child in proc.children(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            total += proc.written_bytes(child)
    return total
