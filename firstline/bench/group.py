"""A control group with a limit on memory, below the one that this process is in. cgroups(7).

    own group -- firstline-PID     memory.limit_in_bytes (version 1), memory.max (version 2)

With version 2, a group that has processes cannot have groups with limits: this process then moves
into one of its own first, for which its group must be its alone, as `systemd-run --scope
--property=Delegate=yes` makes one.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_ENTER = (  # and become the command; 0 is whoever writes it
    "import os, sys; open(sys.argv[1], 'w').write('0'); os.execv(sys.argv[2], sys.argv[2:])"
)
_PATIENCE_S = 10.0  # until the processes in a group are gone


class GroupUnavailableError(Exception):
    """No group with a limit on memory can be made here."""


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A group, its files by their names in this version."""

    folder: Path
    version: int
    limit: str
    peak: str
    events: str  # the file with the line `oom_kill N`

    @property
    def kills(self) -> int:
        """How many processes the kernel has ended here for want of memory."""
        lines = (self.folder / self.events).read_text(encoding="ascii").splitlines()
        counts = dict(line.split() for line in lines)
        return int(counts["oom_kill"])

    @property
    def peak_mb(self) -> float:
        """The most memory that it ever held, pages of files included, MiB; 0: not told."""
        with suppress(OSError):  # before Linux 5.19 with version 2
            return int((self.folder / self.peak).read_text(encoding="ascii")) / 1_048_576
        return 0.0

    def inside(self, command: Sequence[str]) -> list[str]:
        """A command that runs in the group from its beginning."""
        return [sys.executable, "-c", _ENTER, str(self.folder / "cgroup.procs"), *command]


@contextmanager
def memory_group(limit_bytes: int) -> Iterator[MemoryGroup]:
    """Make a group, and remove it when all that ran in it has ended.

    Raises:
        GroupUnavailableError: none can be made here.
    """
    try:
        group = _made()
        (group.folder / group.limit).write_text(str(limit_bytes), encoding="ascii")
    except OSError as error:
        raise GroupUnavailableError(f"no control group can be made here: {error}") from error
    try:
        yield group
    finally:
        _remove(group.folder)


def _made() -> MemoryGroup:
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, own = line.split(":", 2)
        if "memory" in controllers.split(","):
            folder = _GROUPS / "memory" / own.lstrip("/") / f"firstline-{os.getpid()}"
            folder.mkdir()
            names = ("memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control")
            return MemoryGroup(folder, 1, *names)
    own = Path("/proc/self/cgroup").read_text(encoding="ascii").partition("0::")[2].strip()
    above = _GROUPS / own.lstrip("/")
    front = above / f"firstline-front-{os.getpid()}"
    front.mkdir()
    (front / "cgroup.procs").write_text("0", encoding="ascii")
    (above / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
    folder = above / f"firstline-{os.getpid()}"
    folder.mkdir()
    return MemoryGroup(folder, 2, "memory.max", "memory.peak", "memory.events")


def _remove(folder: Path) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_s:
        with suppress(OSError):  # somebody in it is ending
            folder.rmdir()
            return
        time.sleep(0.05)
