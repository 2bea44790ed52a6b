"""Packs files as a person would, by the command."""

import shutil
from pathlib import Path

from broker.package.manifest import Manifest, load_manifest
from firstline import cli
from tests.unit.firstline.onnx_file import FLOAT, node, write_nodes
from tests.unit.package.strangers import BROUGHT


def pack(model: Path, *more: str, code: int = 0) -> Manifest | None:
    out = model.parent / "package"
    assert cli.main(["model", "pack", str(model), "--out", str(out), *more]) == code
    return load_manifest(out) if out.exists() else None


def identity(
    to: Path, shape: tuple[int | str, ...], *, made: tuple[int | str, ...] = (1, 3)
) -> Path:
    path = to / "model.onnx"
    write_nodes(path, [node("Identity", ["x"], "y")], given=(shape, FLOAT), made=made)
    return path


def brought(name: str, to: Path) -> Path:
    return Path(shutil.copy(BROUGHT / f"{name}.onnx", to))
