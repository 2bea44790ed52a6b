"""What an installed service consists of: folders and files, as data.

firmware_configs/... with @NAME@ in it --fill--> content --> a place under the root
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from firstline.shipped import CONFIGS

SETTINGS = "etc/firstline"
AGENT, WORKER = "firstline-agent", "firstline-worker"
USER: Final = "firstline"
_UNITS = "etc/systemd/system"
SYSUSERS = "etc/sysusers.d/firstline.conf"
_PLACE = re.compile(r"@(\w+)@")
_PUBLIC, _PRIVATE = 0o755, 0o700

Owner = Literal["root", "firstline"]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that must be there."""

    place: str  # below the root
    mode: int
    owner: Owner = "root"


@dataclass(frozen=True, slots=True)
class File:
    """A file that must be there."""

    place: str  # below the root
    content: str
    theirs: bool = False  # whose content is the operator's once it is there


def of_agent(words: Mapping[str, str]) -> Iterator[Folder | File]:
    """What an agent consists of; `words` are a board's and the command's."""
    yield File(SYSUSERS, _shipped("systemd/firstline.sysusers", words))
    yield Folder(SETTINGS, _PUBLIC)
    yield Folder(f"{SETTINGS}/keys", _PRIVATE)
    yield File(f"{SETTINGS}/agent.toml", _shipped("settings/agent.toml", words), theirs=True)
    yield Folder(f"{_UNITS}/{AGENT}.service.d", _PUBLIC)
    yield File(f"{_UNITS}/{AGENT}.service", _shipped(f"systemd/{AGENT}.service", words))
    yield File(f"{_UNITS}/{AGENT}.service.d/board.conf", _shipped("systemd/board.conf", words))


def of_worker(words: Mapping[str, str]) -> Iterator[Folder | File]:
    """What a worker consists of."""
    yield File(SYSUSERS, _shipped("systemd/firstline.sysusers", words))
    yield Folder(SETTINGS, _PUBLIC)
    yield File(f"{SETTINGS}/worker.toml", _shipped("settings/worker.toml", words), theirs=True)
    yield Folder(f"var/lib/{WORKER}", _PRIVATE, USER)
    yield Folder(f"var/lib/{WORKER}/keys", _PRIVATE, USER)
    yield File(f"{_UNITS}/{WORKER}.service", _shipped(f"systemd/{WORKER}.service", words))


def data_of(service: str) -> tuple[str, ...]:
    """Where a service keeps what is the operator's: settings, keys, what waits for an answer."""
    if service == AGENT:
        return (f"{SETTINGS}/agent.toml", f"{SETTINGS}/keys", "var/lib/firstline")
    return (f"{SETTINGS}/worker.toml", f"var/lib/{WORKER}")


def _shipped(name: str, words: Mapping[str, str]) -> str:
    text = (CONFIGS / name).read_text(encoding="utf-8")
    return _PLACE.sub(lambda found: words[found[1]], text)
