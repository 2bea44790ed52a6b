"""`firstline model`: which model packages there are, what they can do, and how to make one."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from broker.package.errors import PackageError
from broker.package.files import verify_files
from broker.package.heads import Head, NumberHead, TextHead
from broker.package.manifest import Manifest, load_manifest
from firstline.commands import noun
from firstline.commands.model_calibrate import calibrate
from firstline.commands.model_pack import pack
from firstline.commands.model_pull import pull
from firstline.console import JsonOption, columns, show
from firstline.exits import ExitCode
from firstline.feasible import remedy
from firstline.shipped import MODELS, package_folder
from firstline.trust import CONFIDENCE, RISKS, answered, price_line, prices

app = noun("Model packages: list, show, pull, pack and calibrate your own.")
app.command()(pack)
app.command()(pull)
app.command()(calibrate)


@app.command("list")
def list_packages(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A folder of packages; else the shipped.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> ExitCode:
    """List the shipped packages, or those in a folder."""
    rows = [_row(each) for each in sorted((folder or MODELS).glob("*/package.toml"))]
    heading = ("name", "version", "payload", "domains", "size", "calibrated", "state")
    table = columns([heading, *(tuple(str(cell) for cell in row.values()) for row in rows)])
    lines = table if rows else [f"no model packages in {folder or MODELS}"]
    show({"folder": folder or MODELS, "packages": rows}, lines, as_json=as_json)
    return ExitCode.OK if all(row["state"] == "ok" for row in rows) else ExitCode.MODEL


@app.command("show")
def show_package(
    package: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A shipped package, or a folder.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Print what a package is, checks that its files are intact, and how far it can be trusted."""
    manifest = load_manifest(package_folder(package, Path()))
    verify_files(manifest.folder, manifest.files)
    show(_document(manifest), _lines(manifest), as_json=as_json)


def _row(path: Path) -> dict[str, object]:
    try:
        manifest = load_manifest(path.parent)
    except PackageError as error:
        unknown = dict.fromkeys(("version", "payload", "domains", "size", "calibrated"), "?")
        return {"name": path.parent.name, **unknown, "state": str(error)}
    return {
        "name": manifest.name,
        "version": manifest.version,
        "payload": manifest.payload,
        "domains": " ".join(head.domain for head in manifest.heads),
        "size": f"{_size(manifest) / 1e6:.2f} MB",
        "calibrated": "yes" if all(head.curve for head in manifest.heads) else "no",
        "state": "ok",
    }


def _size(manifest: Manifest) -> int:
    return sum((manifest.folder / name).stat().st_size for name, _ in manifest.files)


def _document(manifest: Manifest) -> dict[str, object]:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "folder": manifest.folder,
        "kind": manifest.kind,
        "engine": manifest.engine,
        "payload": manifest.payload,
        "licence": manifest.licence,
        "ram_mb": manifest.ram_mb,
        "parent": manifest.parent,
        "training": dict(manifest.training),
        "files": {name: (manifest.folder / name).stat().st_size for name, _ in manifest.files},
        "heads": [_head(head) for head in manifest.heads],
    }


def _head(head: Head) -> dict[str, object]:
    curve = head.curve
    return {
        "domain": head.domain,
        "labels": len(head.labels),
        "out_of_scope": head.out_of_scope,
        "calibration": curve
        and {
            "method": curve.method,
            "samples": curve.samples,
            "ece": curve.ece,
            "scope_threshold": curve.scope_threshold,
            "confidence": CONFIDENCE,
            "certified": [asdict(each) for each in prices(head)],
            "answered_at_risk": {str(risk): answered(curve, risk) for risk in RISKS},
        },
    }


def _lines(manifest: Manifest) -> Iterator[str]:
    yield f"{manifest.name} {manifest.version}: {manifest.kind} of a {manifest.payload}"
    yield f"  folder    {manifest.folder}"
    yield f"  engine    {manifest.engine}, {manifest.ram_mb} MB of memory"
    yield f"  licence   {manifest.licence}"
    if manifest.parent:
        yield f"  parent    {manifest.parent}"
    yield from (f"  training  {name}: {value}" for name, value in manifest.training)
    for name, _ in manifest.files:
        yield f"  file      {name}, {(manifest.folder / name).stat().st_size:,} bytes, intact"
    for head in manifest.heads:
        yield f"  domain    {head.domain}: {_answers(head)}"
        yield from _curve(manifest, head)


def _answers(head: Head) -> str:
    match head:
        case NumberHead():
            return f"a number, right within {head.tolerance:g} {head.unit}".rstrip()
        case TextHead(labels=()):
            rules = head.schema or head.grammar
            return f"text that keeps to {rules}" if rules else "text"
        case _:
            return f"{len(head.labels)} labels"


def _curve(manifest: Manifest, head: Head) -> Iterator[str]:
    curve = head.curve
    if curve is None:
        yield "            not calibrated: an agent asks the cloud for every answer"
        return
    yield f"            calibrated on {curve.samples} samples, calibration error {curve.ece:.3f}"
    if curve.risk_table:
        yield f"            {curve.method}; bounds certified {CONFIDENCE:.0%} sure:"
        yield from (f"            {price_line(each)}" for each in prices(head))
        return
    for risk in RISKS:
        share = answered(curve, risk)
        yield f"            its surest {share:.0%} of answers are at most {risk:.0%} wrong"
    yield "            by an earlier version: no bound can be certified. Calibrate again:"
    yield f"            {remedy(manifest, head)}"
