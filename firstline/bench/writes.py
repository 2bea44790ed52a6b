"""What the agent writes to its disk: idle, for answers that it keeps, for questions that it asks.

    a broker, a worker, an agent --> nothing happens --> 1,000 kept --> 1,000 asked

An SD card wears out by writing. The kernel counts for each process what it makes dirty of files on
disks (proc(5), write_bytes): what is in memory only, as /run is, does not count. What the file
system adds for itself is in the counter of the disk, together with all that other programs write.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.fleet.mosquitto import RunningBroker, running_broker
from firstline.bench.lone_agent import (
    INBOX,
    answers,
    children,
    make_keys,
    module,
    put,
    run_command,
    write_settings,
)

_SETTLE_S = 4.0  # until start-up work, or the last answer's, is done
_PATIENCE_S = 60.0  # without one more answer
_TOGETHER = 20  # questions that lie in the inbox at once
_DAY_S = 86_400.0
_MB, _KIB = 1e6, 1024.0
_IN_MEMORY = ("tmpfs", "ramfs")
_SECTOR_BYTES = 512  # of /sys/block/*/stat, whatever the disk's own are
_WORKER = """\
[worker]
credentials = "{keys}"
state = "{state}"
[broker]
host = "{host}"
port = {port}
[[engines]]
package = "commands-large"
"""


class WritesError(Exception):
    """The agent did not do what was to be measured, or not on a disk."""


@dataclass(frozen=True, slots=True)
class Writes:
    """The figures."""

    idle_s: float  # how long it was watched
    idle_bytes: int  # that the agent wrote in this time
    idle_mb_per_day: float  # MB
    disk_idle_mb_per_day: float | None  # MB, of the whole disk, whoever wrote; None: no counter
    questions: int  # of each kind
    kib_per_kept: float  # KiB, with the answer's own file
    kib_per_asked: float  # KiB, the same


def measure(
    folder: Path,
    idle_s: float,
    questions: int,
    progress: Callable[[int], None],
    *,
    settle_s: float = _SETTLE_S,
) -> Writes:
    """Watch an agent whose files are in a new folder in `folder`; `progress` hears of seconds.

    Raises:
        WritesError: it gave no answer, or nothing there is on a disk.
    """
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        running_broker(Path(name) / "broker") as broker,
    ):
        own = Path(name)
        keys = make_keys(own / "fleet")
        disk = _disk(own)
        with _worker(own, broker):
            with _agent(own, keys, broker, 1.0, settle_s) as pid:
                written, on_disk = _idle(pid, disk, idle_s, progress)
                kept = _asked(own, pid, questions, settle_s)
            with _agent(own, keys, broker, 0.0, settle_s) as pid:
                asked = _asked(own, pid, questions, settle_s)
    per_day = _DAY_S / idle_s / _MB
    return Writes(
        idle_s=round(idle_s, 1),
        idle_bytes=written,
        idle_mb_per_day=round(written * per_day, 2),
        disk_idle_mb_per_day=None if on_disk is None else round(on_disk * per_day, 1),
        questions=questions,
        kib_per_kept=round(kept / questions / _KIB, 2),
        kib_per_asked=round(asked / questions / _KIB, 2),
    )


def written_bytes(pid: int) -> int:
    """What a process and those that it started have made dirty on disks, less what was undone.

    An engine child that ends takes its own count with it: it reads, and writes nothing.
    """
    return sum(_written(each) for each in (pid, *children(pid)))


def _written(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    counts = dict(line.split(": ") for line in lines)
    return int(counts["write_bytes"])


def _idle(
    pid: int, disk: Path | None, idle_s: float, progress: Callable[[int], None]
) -> tuple[int, int | None]:
    before, before_disk = written_bytes(pid), _sectors(disk)
    end_s = time.monotonic() + idle_s
    while (left_s := end_s - time.monotonic()) > 0:
        time.sleep(min(1.0, left_s))
        progress(1)
    after_disk = _sectors(disk)
    both = before_disk is not None and after_disk is not None
    on_disk = (after_disk - before_disk) * _SECTOR_BYTES if both else None  # type: ignore[operator] # see `both`
    return written_bytes(pid) - before, on_disk


def _asked(folder: Path, pid: int, questions: int, settle_s: float) -> int:
    """Bytes written for so many questions, the first of each kind not among them."""
    _ask(folder, "warm-up", 1)
    before = written_bytes(pid)
    for first in range(0, questions, _TOGETHER):
        _ask(folder, f"q{first}", min(_TOGETHER, questions - first))
    time.sleep(settle_s)
    return written_bytes(pid) - before


def _ask(folder: Path, name: str, count: int) -> None:
    wanted = answers(folder) + count
    for number in range(count):
        put(folder, f"{name}-{number}", f"turn on the lights in room {number}")
    give_up_s = time.monotonic() + _PATIENCE_S
    while answers(folder) < wanted:
        if time.monotonic() > give_up_s:
            raise WritesError("the agent gave no answer")
        time.sleep(0.02)


@contextmanager
def _agent(
    folder: Path, keys: Path, broker: RunningBroker, max_error: float, settle_s: float
) -> Iterator[int]:
    command = run_command(write_settings(folder, keys, broker, max_error=max_error))
    with _running(command) as pid:
        give_up_s = time.monotonic() + _PATIENCE_S
        while not (folder / INBOX).is_dir():
            if time.monotonic() > give_up_s:
                raise WritesError("the agent did not start")
            time.sleep(0.05)
        time.sleep(settle_s)
        yield pid


@contextmanager
def _worker(folder: Path, broker: RunningBroker) -> Iterator[None]:
    (keys,) = (folder / "fleet" / "workers").iterdir()
    settings = folder / "worker.toml"
    text = _WORKER.format(keys=keys, state=folder / "worker", host=broker.host, port=broker.port)
    settings.write_text(text, encoding="utf-8")
    with _running(module("firstline", "worker", "run", "--settings", str(settings))):
        yield


@contextmanager
def _running(command: list[str]) -> Iterator[int]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


def _disk(folder: Path) -> Path | None:
    """Where the kernel counts what is written to the disk under a folder.

    Raises:
        WritesError: it is in memory.
    """
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()  # proc(5)
    kinds = {line.split()[2]: line.partition(" - ")[2].split()[0] for line in mounts}
    if kinds.get(number) in _IN_MEMORY:
        raise WritesError(f"{folder.parent} is in memory: name a folder on a disk")
    found = Path(f"/sys/dev/block/{number}/stat")
    return found if found.exists() else None  # none of a layer over a disk, as in a container


def _sectors(disk: Path | None) -> int | None:
    """Sectors written so far, Documentation/block/stat.rst."""
    return None if disk is None else int(disk.read_text(encoding="ascii").split()[6])
