"""What the models of a settings file will take of this machine, and how fast they will answer.

Predicted, without loading any: what a package took where it was made (golden.json), times what two
short measurements say of this machine beside that one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.update.choose import ENGINE_MB
from broker.package.errors import PackageError
from broker.package.golden import Golden, read_golden
from broker.package.manifest import Manifest, load_manifest
from broker.package.ram import free_bytes
from broker.package.speed import Speed, measure
from firstline.checks.finding import Finding, ok, warn
from firstline.settings.agent import AgentSettings, ModelSection
from firstline.shipped import package_folder

_MB: Final = 1_000_000
_TIGHT: Final = 0.8  # of what is free: the rest of the board wants some too


def findings(settings: AgentSettings, base: Path) -> Iterator[Finding]:
    """Predict for each model of the settings; `base` is the settings file's folder."""
    here = measure()
    yield ok("speed", f"{here.compute:.0f} MB/s hashed, {here.memory:.0f} MB/s copied, by one core")
    left_mb = free_bytes() // _MB
    for name, section in settings.models.items():
        try:
            folder = package_folder(section.package, base)
            manifest, golden = load_manifest(folder), read_golden(folder)
        except PackageError:  # told with the settings
            continue
        needed_mb = taken_mb(manifest, golden)
        yield _finding(name, section, predicted(golden, here), needed_mb, left_mb)
        left_mb = max(0, left_mb - needed_mb)


def taken_mb(manifest: Manifest, golden: Golden | None) -> int:
    """What an engine child with a package takes, MB."""
    return golden.ram_mb if golden is not None else manifest.ram_mb + ENGINE_MB[manifest.engine]


def predicted(golden: Golden | None, here: Speed) -> str:
    """How fast a package will answer here, in words; empty: nobody measured it anywhere."""
    if golden is None:
        return ""
    slower = here.slower_than(golden.speed)
    if golden.tokens_per_s:
        return f"about {golden.tokens_per_s / slower:.0f} tokens/s"
    return f"about {1e3 / (golden.ms * slower):.0f} answers/s"


def _finding(name: str, section: ModelSection, speed: str, needed_mb: int, left_mb: int) -> Finding:
    told, about = f"model {name}", speed or "its speed is unknown"
    seen = f"{section.package}: about {needed_mb} MB of {left_mb} free, {about}"
    if needed_mb > left_mb:
        return warn(told, seen, f"it does not fit: a smaller package for [models.{name}]")
    if needed_mb > _TIGHT * left_mb:
        return warn(told, seen, f"set unload_after_s under [models.{name}], or a smaller package")
    return ok(told, seen)
