"""What a board can do, as it measured of itself. It decides which variant of a package it takes."""

import json
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from broker.package.ram import free_bytes
from broker.package.speed import Speed, measure
from broker.wire.files import write_whole

_MB: Final = 1_000_000
_MODULES: Final = {"onnxruntime": "onnxruntime", "llama.cpp": "llama_cpp"}
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
    path, machine = folder / "speed.json", f"{platform.machine()} {platform.release()}"
    try:
        kept = json.loads(path.read_bytes())
        if kept["machine"] == machine:
            return Speed(float(kept["compute"]), float(kept["memory"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never measured, or not to be read: measure
    speed = measure()
    write_whole(path, json.dumps({"machine": machine, **asdict(speed)}).encode())
    return speed


def _features(path: Path) -> frozenset[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    rows = (line.partition(":") for line in lines)
    return next(
        (frozenset(row[2].split()) for row in rows if row[0].strip() in _FEATURES), frozenset()
    )
