"""The files of docker/, parsed."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
DOCKER: Final = ROOT / "docker"
_STAGE = re.compile(r"FROM (?P<base>\S+) AS (?P<name>\S+)")


@dataclass(slots=True)
class Stage:
    """A part of the Dockerfile: from one FROM to the next."""

    name: str
    base: str
    lines: list[str] = field(default_factory=list)  # instructions, continued lines joined

    def all(self, word: str) -> list[str]:
        """The arguments of each instruction of this kind."""
        return [line.removeprefix(f"{word} ") for line in self.lines if line.startswith(f"{word} ")]


def stages() -> dict[str, Stage]:
    """The Dockerfile's stages, by name."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    found: dict[str, Stage] = {}
    for line in text.splitlines():
        if match := _STAGE.fullmatch(line):
            found[match["name"]] = Stage(match["name"], match["base"])
        elif line and not line.startswith("#") and found:
            found[list(found)[-1]].lines.append(line)
    return found


def instructions(target: str) -> dict[str, str]:
    """What an image ends up with: the last of each instruction, its bases' included."""
    every, name = stages(), target
    kept: dict[str, str] = {}
    while name in every:
        for line in reversed(every[name].lines):
            word, _, rest = line.partition(" ")
            kept.setdefault(word, rest)
        name = every[name].base
    return kept


def compose(*names: str) -> dict[str, Any]:
    """Compose files, merged as far as ours need it: mappings join, all else is replaced."""
    merged: dict[str, Any] = {}
    for name in names:
        merged = _joined(merged, yaml.safe_load((DOCKER / name).read_text(encoding="utf-8")))
    return merged


def manifests() -> list[dict[str, Any]]:
    """All of docker/kubernetes."""
    return [
        document
        for path in sorted((DOCKER / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def _joined(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    both = left | right
    for key in left.keys() & right.keys():
        if isinstance(left[key], dict) and isinstance(right[key], dict):
            both[key] = _joined(left[key], right[key])
    return both
