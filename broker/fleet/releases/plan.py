"""Plans a release: what a package is made of, and the shortest ways to it from earlier ones.

    package folder --cut--> contents --beside files of the same name in earlier packages--> patches

A patch is told of when it saves a fifth of the file or more. A file that the board has, such as an
adapter's base, needs none: it is known by its content.
"""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.fleet.errors import FleetError
from broker.fleet.releases import deltas
from broker.fleet.releases.stock import Stock
from broker.wire.release import Content, Delta, FilePlan, Needs, PackagePlan

_WORTH_IT: Final = 0.8  # of the file's length; a longer patch is left out
_PATCHABLE: Final = 64 * 1024  # bytes; a shorter file is a block or less, as its patch would be
_MOST_PATCHES: Final = 4  # of one file

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Head:
    """What a plan says beside its files."""

    package: str
    version: str
    variant: str
    needs: Needs
    groups: tuple[str, ...] = ()


def plan(
    stock: Stock, folder: Path, head: Head, *, bases: Sequence[Path] = (), told: Told
) -> PackagePlan:
    """Take a package into stock, with patches from earlier packages, and say what it is made of.

    Args:
        stock: Where the files go.
        folder: The package.
        head: What it is.
        bases: Folders of packages that boards may have; the likeliest first.
        told: Takes a line about each file that takes long.

    Raises:
        FleetError: it holds what no board would take: folders, odd names.
        OSError: a file cannot be read, or the disk is full.
    """
    paths = sorted(folder.iterdir())
    for path in paths:
        if not path.is_file():
            raise FleetError(f"{path}: a package is files, without folders")
    files = tuple(
        FilePlan(
            name=path.name,
            content=(content := stock.add(path)),
            deltas=_deltas(stock, path, content, bases, told),
        )
        for path in paths
    )
    made = PackagePlan(
        package=head.package,
        version=head.version,
        variant=head.variant,
        needs=head.needs,
        files=files,
        groups=head.groups,
    )
    try:
        made.write()
    except ValueError as error:
        raise FleetError(f"{folder}: no board would take it: {error}") from error
    return made


def _deltas(
    stock: Stock, path: Path, content: Content, bases: Sequence[Path], told: Told
) -> tuple[Delta, ...]:
    if content.length < _PATCHABLE:
        return ()
    found: dict[str, Delta] = {}
    for base in (folder / path.name for folder in bases):
        if len(found) == _MOST_PATCHES or not base.is_file():
            continue
        old = Content(length=base.stat().st_size, sha256=_digest(base))
        if old.sha256 == content.sha256 or old.sha256 in found:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            patch = deltas.make(base, path, Path(scratch))
            share = patch.length / content.length
            told(f"{path.name}: a patch from {base.parent.name} is {share:.1%} of it")
            if share <= _WORTH_IT:
                found[old.sha256] = Delta(
                    method=patch.method,
                    base=old.sha256,
                    base_length=old.length,
                    patch=stock.add(patch.path),
                )
    return tuple(found.values())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
