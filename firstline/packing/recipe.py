"""What a package is made of, and its package.toml."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from broker.package.files import PACKAGE_FILE, sha256
from firstline.packing.wishes import Wishes

Toml = str | int | float | bool | tuple[str, ...] | Mapping[str, tuple[str, ...]]

LABELS_FILE = "labels.txt"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A package that is to be made."""

    name: str
    version: str
    licence: str
    parent: str
    kind: str
    engine: str
    file: str  # of the weights, in the package
    files: Mapping[str, Path | str]  # name in the package -> where it is, or its lines
    input: Mapping[str, Toml]
    head: Mapping[str, Toml]  # without what is empty

    @property
    def domain(self) -> str:
        """Of the only head."""
        return str(self.head["domain"])


def name_of(wishes: Wishes) -> str:
    """The package's name: as said, or after the file."""
    stem = _NOT_IN_NAMES.sub("-", wishes.model.stem.lower()).strip("-_")
    return wishes.name or stem[:63] or "model"


def describe(recipe: Recipe, folder: Path, *, ram_mb: int) -> None:
    """Write package.toml into a folder that has all the other files."""
    lines = [*_head(recipe, ram_mb), "", "[files]"]
    files = [path for path in sorted(folder.iterdir()) if path.name != PACKAGE_FILE]
    lines += [f"{_toml(path.name)} = {_toml(sha256(path))}" for path in files]
    lines += ["", "[input]", *_table(recipe.input), "", "[[heads]]", *_table(recipe.head)]
    (folder / PACKAGE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _head(recipe: Recipe, ram_mb: int) -> Iterator[str]:
    fields = {
        "name": recipe.name,
        "version": recipe.version,
        "kind": recipe.kind,
        "engine": recipe.engine,
        "file": recipe.file,
        "licence": recipe.licence,
        "parent": recipe.parent,
    }
    yield from _table(fields)
    yield f"ram_mb = {ram_mb}  # measured when it was packed"


def _table(values: Mapping[str, Toml]) -> Iterator[str]:
    yield from (f"{key} = {_toml(value)}" for key, value in values.items())


def _toml(value: Toml) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_key(name)} = {_toml(known)}" for name, known in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=True)  # a JSON string, array or bool is a TOML one


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=True)
