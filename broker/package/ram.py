"""Memory: how much there is, and a refusal with the numbers when a model needs more."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.package.errors import EngineError

_MEMINFO: Final = Path("/proc/meminfo")
_CGROUP: Final = Path("/sys/fs/cgroup")
_OWN_CGROUP: Final = Path("/proc/self/cgroup")
_MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Need:
    """What a model is expected to take, in bytes."""

    weights: int
    cache: int  # keys and values of a full context
    working: int  # what one step computes

    @property
    def all(self) -> int:
        """The sum."""
        return self.weights + self.cache + self.working


def check_room(what: str, need: Need, free: int) -> None:
    """Refuse a model that does not fit into `free` bytes.

    Raises:
        EngineError: it does not; the message has the numbers.
    """
    if need.all > free:
        raise EngineError(
            f"{what} does not fit: it needs about {_mb(need.all)} MB (weights {_mb(need.weights)}, "
            f"context {_mb(need.cache)}, working memory {_mb(need.working)}) and "
            f"{_mb(free)} MB are free. Take a smaller quantization, or lower [input] context"
        )


def free_bytes() -> int:
    """What this process may still take: of the machine, and of the limits set on its group."""
    return min([_machine_bytes(), *_group_bytes()])


def _machine_bytes() -> int:
    for line in _MEMINFO.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 1 << 62  # a kernel that does not say


def _group_bytes() -> list[int]:
    """Room below each limit (cgroup v2, memory.max) from this process's group up to the root."""
    try:
        own = _OWN_CGROUP.read_text(encoding="ascii").strip().rpartition(":")[2].lstrip("/")
    except OSError:
        return []
    folder = _CGROUP / own
    rooms = []
    while folder.is_relative_to(_CGROUP):
        limit, used, pages = (_number(folder / name) for name in _FILES)
        if limit is not None and used is not None:
            rooms.append(limit - used + (pages or 0))
        folder = folder.parent
    return rooms


_FILES: Final = ("memory.max", "memory.current", "memory.stat")


def _number(path: Path) -> int | None:
    """A limit or use in bytes; of memory.stat, what is only cached and can be given up."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name in ("", "inactive_file"):
            return int(value) if value.isdigit() else None
    return None


def _mb(count: int) -> int:
    return -(-count // _MB)
