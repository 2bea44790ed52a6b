"""What a board can do, as it measured of itself. It decides which variant of a package it takes."""

import json
import os
import platform
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from broker.package.ram import free_bytes
from broker.package.speed import Speed, measure
from broker.wire.files import write_whole

_MB: Final = 1_000_000
_MODULES: Final = {"onnxruntime": "onnxruntime", "llama.cpp": "llama_cpp"}
_SPEED: Final = "speed.json"
_CPUINFO: Final = Path("/proc/cpuinfo")
_FEATURES: Final = ("Features", "flags")  # the line on aarch64, on x86_64


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A machine. MB are 1,000,000 bytes."""

    ram_mb: int  # that a model may take, once the one that it replaces has ended
    disk_mb: int  # free where packages lie
    cores: int
    cpu: frozenset[str]  # features, as /proc/cpuinfo names them
    engines: frozenset[str]  # that are installed
    speed: Speed


def look(folder: Path, speed: Speed, *, freed_mb: int = 0) -> Board:
    """Look at this machine; `freed_mb` is what the model that would be replaced takes now."""
    return Board(
        ram_mb=free_bytes() // _MB + freed_mb,
        disk_mb=shutil.disk_usage(folder).free // _MB,
        cores=len(os.sched_getaffinity(0)),
        cpu=_features(_CPUINFO),
        engines=frozenset(name for name, module in _MODULES.items() if find_spec(module)),
        speed=speed,
    )


def measured(folder: Path) -> Speed:
    """This machine's speed, measured once and kept; again on another machine or kernel."""
    if (kept := kept_speed(folder)) is not None:
        return kept
    speed = measure()
    told = json.dumps({"machine": _machine(), **asdict(speed)})
    with suppress(OSError):  # it is measured again the next time
        write_whole(folder / _SPEED, told.encode())
    return speed


def kept_speed(folder: Path) -> Speed | None:
    """What was measured before on this machine; None: nothing that can be read."""
    try:
        kept = json.loads((folder / _SPEED).read_bytes())
        speed = Speed(float(kept["compute"]), float(kept["memory"]))
        return (
            speed
            if kept["machine"] == _machine() and min(speed.compute, speed.memory) > 0
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _machine() -> str:
    return f"{platform.machine()} {platform.release()}"


def _features(path: Path) -> frozenset[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    rows = (line.partition(":") for line in lines)
    return next(
        (frozenset(row[2].split()) for row in rows if row[0].strip() in _FEATURES), frozenset()
    )
