"""Memory: how much there is, and a refusal with the numbers when a model needs more."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.package.errors import EngineError

_MEMINFO: Final = "proc/meminfo"
_OWN_CGROUPS: Final = "proc/self/cgroup"
_MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Version:
    """Where a version of control groups says what, cgroups(7)."""

    top: str
    files: tuple[str, str, str]  # limit, use, and of what the use consists
    cached: str  # of the last file: pages of files that can be given up


_V1: Final = _Version(
    "sys/fs/cgroup/memory",
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"),
    "total_inactive_file",
)
_V2: Final = _Version(
    "sys/fs/cgroup", ("memory.max", "memory.current", "memory.stat"), "inactive_file"
)


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


def free_bytes(root: Path = Path("/")) -> int:
    """What this process may still take: of the machine, and of the limits set on its group.

    `root` holds `proc` and `sys`.
    """
    rooms = (limit - used for limit, used in _groups(root))
    return min([_machine_bytes(root, "MemAvailable"), *rooms])


def whole_bytes(root: Path = Path("/")) -> int:
    """What this process could ever take: the machine's memory, or a limit set on its group."""
    return min([_machine_bytes(root, "MemTotal"), *(limit for limit, _ in _groups(root))])


def _machine_bytes(root: Path, what: str) -> int:
    for line in (root / _MEMINFO).read_text(encoding="ascii").splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    return 1 << 62  # a kernel that does not say


def _groups(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use of each group from this process's own up to the root that has a limit."""
    try:
        listed = (root / _OWN_CGROUPS).read_text(encoding="ascii").splitlines()
    except OSError:
        return
    for line in listed:
        _, controllers, own = line.split(":", 2)
        version = _V1 if "memory" in controllers.split(",") else _V2
        if version is _V2 and controllers:
            continue  # another controller's hierarchy, of version 1
        top = root / version.top
        folder = top / own.lstrip("/")
        while folder.is_relative_to(top):
            limit, used, pages = (_number(folder / name, version) for name in version.files)
            if limit is not None and used is not None:
                yield limit, used - (pages or 0)
            folder = folder.parent


def _number(path: Path, version: _Version) -> int | None:
    """A limit or use in bytes; of memory.stat, what is only cached and can be given up."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name in ("", version.cached):
            return int(value) if value.isdigit() else None
    return None


def _mb(count: int) -> int:
    return -(-count // _MB)
