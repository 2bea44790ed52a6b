"""Makes a model package: copy, describe, try, and only then put it in place.

    recipe --> hidden folder --engine child answers once--> golden.json --> DIR

The child that tries it is the one that will run it, so a package that was made can be used.
"""

import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.core.find import find
from agent.core.mask import mask
from agent.core.policy import FieldRule, MaskRules
from agent.models.engine import Engine
from agent.stages import Clean, Draft
from broker.package.manifest import Manifest, load_manifest
from firstline.exits import CommandError
from firstline.packing.golden import payloads, write_golden
from firstline.packing.recipe import Recipe, describe
from firstline.packing.split import split_weights

_TRIAL_S = 60.0
_INTERPRETER_MB = 10  # an idle Python


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that works."""

    manifest: Manifest
    tried: Draft  # the answer to an empty question
    ram_mb: int


def pack(recipe: Recipe, folder: Path) -> Packed:
    """Make a package.

    Raises:
        CommandError: there is something in the folder already.
        PackageError: the description cannot be right.
        ModelError: the engine cannot run the model as described.
        OSError: a file cannot be read or written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty", fix=f"rm -r {folder}, or another --out")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as last:
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".pack-"))
        last.callback(shutil.rmtree, made, ignore_errors=True)
        _copy(recipe, made)
        describe(recipe, made, ram_mb=1)
        tried, ram_mb = _try(load_manifest(made), recipe.domain)
        describe(recipe, made, ram_mb=ram_mb)
        write_golden(made)
        made.chmod(0o755)
        made.replace(folder)
    return Packed(load_manifest(folder), tried, ram_mb)


def _copy(recipe: Recipe, folder: Path) -> None:
    for name, source in recipe.files.items():
        if isinstance(source, Path):
            shutil.copyfile(source, folder / name)
        else:
            (folder / name).write_text(source, encoding="utf-8")
    if recipe.engine == "onnxruntime":
        split_weights(folder / recipe.file)


def _try(manifest: Manifest, domain: str) -> tuple[Draft, int]:
    """Let an engine child answer, and see how much memory it takes."""
    clean = Clean(next(payloads(manifest.input)))
    masked = mask(clean, MaskRules(default=FieldRule.KEEP), find).masked
    engine = Engine(manifest.folder, timeout_s=_TRIAL_S)
    with ExitStack() as last:
        last.callback(engine.stop)
        return engine.draft(masked, domain), _ram_mb(engine.pid)


def _ram_mb(pid: int | None) -> int:
    with Path(f"/proc/{pid}/statm").open(encoding="ascii") as file:
        pages = int(file.read().split()[1])  # resident
    return max(1, pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000 - _INTERPRETER_MB)
