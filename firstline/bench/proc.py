"""What the kernel tells of a process, proc(5)."""

import os
from contextlib import suppress
from pathlib import Path

_KIB = 1024


def memory_mb(pid: int, name: str) -> float:
    """A figure of its memory in MiB: VmRSS, what it has now; VmHWM, the most that it had."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(":", 1) for line in lines)[name].split()[0]) / _KIB


def written_bytes(pid: int) -> int:
    """Bytes that it has made dirty of files on disks, or written to them past the cache.

    An engine child that ends takes its count with it: it reads, and writes nothing.
    """
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def cpu_s(pid: int) -> float:
    """What it has used of a core so far, seconds."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime


def children(pid: int) -> list[int]:
    """The processes that it started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended since
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found
