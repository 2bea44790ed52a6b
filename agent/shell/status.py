"""What the agent says of itself to the board's own users: one JSON file, in memory.

    state/status.json -> /run/firstline/status.json, or a folder of its own in /dev/shm

The state folder only holds the link, so that an SD card is not written. No content, no keys.
"""

import json
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.models.engine import Engine
from agent.shell.courier import Courier
from agent.shell.watch import BoardWatch
from agent.store.clock import since_boot_s
from broker.wire.files import write_whole

STATUS = "status.json"
_MB, _HOUR_S, _DAY_S = 1e6, 3600.0, 86_400.0
_PAUSE_S = 5.0  # between two writings
_EVERYBODY_READS = 0o644  # where its folder lets them
_PREFIX = "firstline-"
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Status:
    """Keeps the file up to date. Owned by the loop, used by nobody else."""

    file: Path
    about: Mapping[str, object]  # names and versions
    courier: Courier
    engines: Callable[[], Collection[Engine]]
    watch: BoardWatch
    counters: Counter[str]
    started_s: float
    writes_mb_per_day: float = 0.0  # MB that may be written to disks; 0: no budget
    _next_s: float = 0.0  # monotonic
    _over: bool = False  # the budget

    def write(self) -> None:
        """Write it, if it is time to."""
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _PAUSE_S
            with suppress(OSError):  # no room in memory: whoever looks sees how old it is
                content = json.dumps(self.document()).encode()
                write_whole(self.file, content, mode=_EVERYBODY_READS)

    def document(self) -> Mapping[str, object]:
        """What is in it."""
        return {
            "pid": os.getpid(),
            "started_s": self.started_s,  # since the machine started, as are all its times
            "written_s": since_boot_s(),
            **self.about,
            "online": self.courier.is_online,
            "trouble": self.courier.reason if self.courier.outbox else "",
            "waiting": len(self.courier.outbox),
            "models": [_of(engine) for engine in self.engines()],
            "board": asdict(self.watch.conditions),
            "measures": asdict(self.watch.taken),
            "memory_mb": round(_resident_mb(os.getpid()), 1),
            "writes": self._writes(),
            "counters": {name: count for name, count in sorted(self.counters.items()) if count},
        }

    def _writes(self) -> Mapping[str, object]:
        """What goes to disks, MB, and whether that is more than a card shall bear."""
        up_s, written_mb = since_boot_s() - self.started_s, _written_bytes() / _MB
        a_day_mb = written_mb * _DAY_S / max(up_s, _HOUR_S)  # a start is not a day's measure
        over = 0 < self.writes_mb_per_day < a_day_mb
        if over and not self._over:
            self.counters["writes_over_budget"] += 1
            _log.warning("%.0f MB a day are written, more than writes_mb_per_day", a_day_mb)
        self._over = over
        return {
            "mb": round(written_mb, 2),
            "mb_per_day": round(a_day_mb, 1),
            "budget_mb_per_day": self.writes_mb_per_day or None,
        }


@contextmanager
def status_file(state: Path) -> Iterator[Path]:
    """Where to write while the agent runs: in memory, with a link in the state folder to it.

    Raises:
        OSError: there is no such place.
    """
    runtime = os.environ.get("RUNTIME_DIRECTORY", "")  # systemd.exec(5); gone with the service
    own = not runtime
    folder = _left_behind(state) or Path(_made()) if own else Path(runtime.partition(":")[0])
    file, fresh = folder / STATUS, state / f".{STATUS}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(file)
    fresh.replace(state / STATUS)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
        if own:
            with suppress(OSError):  # somebody put something into it
                folder.rmdir()


def _made() -> str:
    return tempfile.mkdtemp(prefix=_PREFIX, dir=_IN_MEMORY)


def _left_behind(state: Path) -> Path | None:
    """The folder of an earlier life that was killed, if it is still there and ours."""
    with suppress(OSError):
        folder = (state / STATUS).readlink().parent
        named = folder.parent == _IN_MEMORY and folder.name.startswith(_PREFIX)
        return folder if named and folder.stat().st_uid == os.getuid() else None
    return None


def _of(engine: Engine) -> Mapping[str, object]:
    memory_mb = None if engine.pid is None else round(_resident_mb(engine.pid), 1)
    return {
        "package": engine.package.name,
        "threads": engine.threads,
        "pid": engine.pid,
        "memory_mb": memory_mb,
        "starts": engine.starts,
    }


def _resident_mb(pid: int) -> float:
    """Resident memory of a process, MiB; 0 if it has gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576


def _written_bytes() -> int:
    """What this process has had written to disks since it started, proc(5)."""
    with suppress(OSError):
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
        counts = dict(line.split(": ") for line in lines)
        return int(counts.get("write_bytes", 0))
    return 0
