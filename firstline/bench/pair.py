"""The two packages of a task: the small one that a device runs, the large one that it asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from broker.package.manifest import Manifest, load_manifest
from broker.wire.payload import PayloadKind
from firstline.shipped import MODELS, package_folder


class PairError(Exception):
    """There are no two packages for a task."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two packages for one task."""

    task: str  # a domain of both
    edge: Path
    cloud: Path


def find_pair(task: str, edge: str, cloud: str) -> Pair:
    """Find the packages: those named, else the shipped small one of a task, and its parent.

    Raises:
        PairError: the task is not a shipped one, or a package does not fit.
        PackageError: a package is wrong.
    """
    small = load_manifest(package_folder(edge, Path())) if edge else _shipped(task)
    if not (cloud or small.parent):
        raise PairError(f"{small.name} has no parent; name the larger package with --cloud")
    folder = (
        package_folder(cloud, Path())
        if cloud
        else package_folder(small.parent, small.folder.parent)
    )
    large = load_manifest(folder)
    for each in (small, large):
        each.head(task)  # it has one
        if each.payload != PayloadKind.TEXT:
            raise PairError(f"{each.name} takes a {each.payload}; the file has texts")
    return Pair(task, small.folder, large.folder)


def _shipped(task: str) -> Manifest:
    known = {head.domain: each for each in _shipped_edges() for head in each.heads}
    if task not in known:
        names = ", ".join(sorted(known))
        raise PairError(f"no shipped task {task!r} takes texts; there are {names}")
    return known[task]


def _shipped_edges() -> Iterator[Manifest]:
    for path in sorted(MODELS.glob("*/package.toml")):
        manifest = load_manifest(path.parent)
        if manifest.parent and manifest.payload == PayloadKind.TEXT:
            yield manifest
