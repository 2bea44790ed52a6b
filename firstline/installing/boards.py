"""Which board this is, and what it can bear: one of the profiles in firmware_configs/boards.

/proc/device-tree/model, /proc/meminfo, the processor --Machine--> Profile
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from broker.package.ram import whole_bytes
from firstline.settings.source import Document, read
from firstline.shipped import CONFIGS

_BOARDS = CONFIGS / "boards"
_MODEL = "proc/device-tree/model"
_MB = 1_000_000


class Profile(Document):
    """What a kind of board can bear."""

    title: str
    models: tuple[str, ...]  # how the device tree's model begins
    machine: Literal["aarch64", "x86_64"]
    ram_mb: int = Field(ge=1)
    threads: int = Field(ge=1, le=64)
    service_mb: int = Field(ge=128)
    engine_mb: int = Field(ge=64)
    package: str
    profile: Literal["fast", "low_memory"]
    unload_after_s: float = Field(ge=0, le=86_400)
    max_questions: int = Field(ge=1)
    writes_mb_per_day: float = Field(ge=0)
    throttle_c: float = Field(ge=40, le=110)

    def words(self) -> Mapping[str, str]:
        """What stands for @NAME@ in the files."""
        return {name: str(value) for name, value in self.model_dump().items()}


@dataclass(frozen=True, slots=True)
class Machine:
    """What a board says of itself."""

    model: str  # of the device tree; empty: it has none, as most x86 machines
    machine: str  # as uname(2) calls the processor
    ram_mb: float


def this_machine(root: Path = Path("/")) -> Machine:
    """Look at this machine; `root` holds `proc` and `sys`."""
    try:
        model = (root / _MODEL).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        model = ""
    return Machine(model, platform.machine(), whole_bytes(root) / _MB)


def profiles() -> Mapping[str, Profile]:
    """Every profile, by its name.

    Raises:
        SettingsError: one is broken.
    """
    return {path.stem: read(path, Profile) for path in sorted(_BOARDS.glob("*.toml"))}


def choose(known: Mapping[str, Profile], machine: Machine) -> str | None:
    """The profile of a board: by its model, or the largest that fits its memory; None: none does.

    A board that nobody knows gets what a known one of the same processor with no more memory has.
    """
    named = (
        (len(begins), name)
        for name, profile in known.items()
        for begins in profile.models
        if machine.model.startswith(begins)
    )
    fits = (
        (profile.ram_mb, name)
        for name, profile in known.items()
        if profile.machine == machine.machine and profile.ram_mb <= machine.ram_mb
    )
    found = max(named, default=None) or max(fits, default=None)
    return found[1] if found else None
