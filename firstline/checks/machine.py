"""The machine itself: Python, processor, memory, disk, clock."""

import os
import platform
import shutil
import struct
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from firstline.checks.finding import Finding, fail, ok, warn

_PYTHON = (3, 11)
_WORD_BITS = 64
_MIB = 1024 * 1024
_MEMORY_FAIL_MIB, _MEMORY_WARN_MIB = 64, 128  # the agent and an engine child take about 100
_DISK_FAIL_MIB, _DISK_WARN_MIB = 20, 200
_PAGE_BYTES = (4096, 16_384)  # 16 KiB: a Raspberry Pi 5
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()  # this program is not older
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_TIMESYNC = Path("/run/systemd/timesync")
# Machine -> the line of /proc/cpuinfo, what an engine needs, what makes int8 fast.
_FEATURES = {
    "aarch64": ("Features", "asimd", "asimddp"),
    "x86_64": ("flags", "avx2", "avx_vnni"),
}


def findings(disk: Path) -> Iterator[Finding]:
    """Look at the machine; `disk` is where state is kept."""
    yield _python()
    yield _bits()
    yield _processor(platform.machine(), Path("/proc/cpuinfo"))
    yield _pages()
    yield _memory(Path("/proc/meminfo"))
    yield _limits(Path("/sys/fs/cgroup"))
    yield _disk(disk)
    yield _clock(time.time())


def _python() -> Finding:
    seen = platform.python_version()
    if sys.version_info < _PYTHON:
        return fail("python", seen, "sudo apt-get install --yes python3.11")
    return ok("python", seen)


def _bits() -> Finding:
    bits = 8 * struct.calcsize("P")
    seen = f"{bits}-bit Python on {platform.machine()}"
    if bits < _WORD_BITS:
        return fail("64-bit", seen, "install the 64-bit image of Raspberry Pi OS")
    return ok("64-bit", seen)


def _processor(machine: str, cpuinfo: Path) -> Finding:
    if machine not in _FEATURES or not cpuinfo.is_file():
        return warn("processor", machine, "none: engines are tried on aarch64 and x86_64 only")
    line, needed, fast = _FEATURES[machine]
    rows = (row.partition(":") for row in cpuinfo.read_text().splitlines())
    features = next((row[2].split() for row in rows if row[0].strip() == line), [])
    if needed not in features:
        return fail("processor", f"{machine} without {needed}", "none: use a newer board")
    if fast not in features:
        return ok("processor", f"{needed}, no {fast}: int8 works, without its full speed")
    return ok("processor", f"{needed}, {fast}")


def _pages() -> Finding:
    size = os.sysconf("SC_PAGE_SIZE")
    seen = f"{size // 1024} KiB"
    if size not in _PAGE_BYTES:
        return warn("page size", seen, "boot a kernel with pages of 4 or 16 KiB")
    return ok("page size", seen)


def _memory(meminfo: Path) -> Finding:
    if not meminfo.is_file():
        return warn("memory", "unknown: no /proc/meminfo", "none: this is no Linux")
    rows = dict(row.split(":", 1) for row in meminfo.read_text().splitlines())
    free = int(rows["MemAvailable"].split()[0]) // 1024
    seen = f"{free} MiB available"
    fix = "sudo apt-get install --yes zram-tools"
    if free < _MEMORY_FAIL_MIB:
        return fail("memory", seen, fix)
    return warn("memory", seen, fix) if free < _MEMORY_WARN_MIB else ok("memory", seen)


def _limits(groups: Path) -> Finding:
    """Whether a service's MemoryMax= holds: Raspberry Pi OS starts its kernel without."""
    controllers = groups / "cgroup.controllers"  # version 2
    there = controllers.is_file() and "memory" in controllers.read_text().split()
    if there or (groups / "memory").is_dir():
        return ok("memory limits", "control groups can limit memory")
    seen = "this kernel was started without the memory controller: MemoryMax= does nothing"
    fix = "sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt && sudo reboot"
    return warn("memory limits", seen, fix)


def _disk(folder: Path) -> Finding:
    folder = folder.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free // _MIB
    seen, fix = f"{free} MiB free at {there}", "sudo apt-get clean"
    if free < _DISK_FAIL_MIB:
        return fail("disk", seen, fix)
    return warn("disk", seen, fix) if free < _DISK_WARN_MIB else ok("disk", seen)


def _clock(now_s: float) -> Finding:
    seen = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    fix = "sudo timedatectl set-ntp true"
    if not _EARLIEST <= now_s < _LATEST:  # a board without a battery starts in 1970
        return fail("clock", seen, fix)
    if _TIMESYNC.is_dir() and not (_TIMESYNC / "synchronized").exists():
        return warn("clock", f"{seen}, not synchronised yet", fix)
    return ok("clock", seen)
