"""Calibrates one domain of a package on labelled data.

    FILE --labelled--> cases --engine--> scores --fit--> curve --> DIR/calibration.json

The package is loaded by the code that an agent's engine child runs, from the same files.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from broker.package import calibrate
from broker.package.fit import Fit, Scored, best
from broker.package.heads import Curve
from broker.package.load import load_package
from broker.package.manifest import Manifest, load_manifest
from firstline.exits import CommandError, ExitCode
from firstline.labelled import Row, read_labelled

ENOUGH = 100  # samples; with fewer, the bound on error is loose


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was measured and written."""

    manifest: Manifest  # as it is now
    domain: str
    curve: Curve
    cases: Scored
    fits: tuple[Fit, ...]  # the one that was taken comes first
    warnings: tuple[str, ...]

    @property
    def loose(self) -> bool:
        """Whether too few samples were there for a tight bound."""
        return len(self.cases.score) < ENOUGH


def calibrate_package(folder: Path, data: Path, domain: str, out: Path | None) -> Calibrated:
    """Fit a domain's curve and write it into the package, or into a copy of it at `out`.

    Raises:
        CommandError: the data, the domain or `out` is not right.
        PackageError: the package cannot be used.
        OSError: a file cannot be read or written.
    """
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CommandError(f"{out} is not empty", fix="another --out")
    model = load_package(folder)
    head = model.manifest.head(domain or _only_domain(model.manifest))
    rows = read_labelled(data, model.manifest, head)
    cases = calibrate.scored(model, head.domain, [row.case for row in rows])
    if cases.asks.all():
        raise CommandError(
            f"{model.manifest.name} says {head.out_of_scope!r} to every row of {data}, which "
            "always means: ask. There is nothing to calibrate"
        )
    fits = best(cases)
    if out is None:
        calibrate.write(model.manifest, {head.domain: (cases, fits[0])})
    else:
        _write_copy(model.manifest, out, head.domain, (cases, fits[0]))
    manifest = load_manifest(out or folder)
    curve = manifest.head(head.domain).curve
    if curve is None:
        raise CommandError(f"{manifest.folder} lost its calibration while it was written")
    return Calibrated(manifest, head.domain, curve, cases, fits, tuple(_warnings(rows, cases)))


def _only_domain(manifest: Manifest) -> str:
    if len(manifest.heads) > 1:
        known = ", ".join(head.domain for head in manifest.heads)
        message = f"{manifest.name} answers for {known}; say which with --domain"
        raise CommandError(message, ExitCode.USAGE)
    return manifest.heads[0].domain


def _write_copy(manifest: Manifest, out: Path, domain: str, found: tuple[Scored, Fit]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as last:
        made = Path(tempfile.mkdtemp(dir=out.parent, prefix=".calibrate-"))
        last.callback(shutil.rmtree, made, ignore_errors=True)
        shutil.copytree(manifest.folder, made, dirs_exist_ok=True)
        calibrate.write(replace(manifest, folder=made), {domain: found})
        made.chmod(0o755)
        made.replace(out)


def _warnings(rows: list[Row], cases: Scored) -> Iterator[str]:
    right = cases.right[~cases.asks]
    if len(rows) < ENOUGH:
        yield f"only {len(rows)} samples: the bound on error is loose; {ENOUGH} are the least"
    if len({row.case.label for row in rows}) == 1:
        yield (
            f"every row has the label {rows[0].case.label!r}: nothing is known of the others, "
            "yet the curve is used for them too"
        )
    if right.all():
        yield "every answer was right: nothing shows where the model errs; add harder cases"
    if not right.any():
        yield "every answer was wrong: do the labels belong to this model?"
    if cases.cut:
        yield f"{cases.cut} texts are longer than the model reads: it saw only their beginning"
