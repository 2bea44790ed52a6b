"""`firstline model calibrate`: how often a package is right, measured on labelled data."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline.console import JsonOption, note, show
from firstline.exits import CommandError
from firstline.shipped import MODELS, package_folder
from firstline.trust import CONFIDENCE, RISKS, Price, answered, price_line, prices

if TYPE_CHECKING:
    from firstline.calibrating.calibration import Calibrated


def calibrate(
    package: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A name needs --out.")],
    *,
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            exists=True,
            help="text: CSV of text,intent. record: CSV of the fields and label. "
            'window: a line of JSON each, {"channels", "rate_hz", "samples", "label"}.',
        ),
    ],
    domain: Annotated[str, typer.Option(metavar="DOMAIN", help="If there are several.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a copy of the package there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how often a package is right at each score, and write its calibration.json.

    Use data that the model was not trained on, as it comes in practice: two methods are fitted,
    and the one that does better on held-out rows is kept.
    """
    from firstline.calibrating.calibration import calibrate_package  # noqa: PLC0415 - the engine

    folder = package_folder(package, Path())
    if out is None and folder.parent == MODELS and folder != Path(package):
        raise CommandError(
            f"{package} is a shipped package, and stays as it was shipped",
            fix=f"firstline model calibrate {package} --data {data} --out DIR",
        )
    done = calibrate_package(folder, data, domain, out)
    for warning in done.warnings:
        note(f"warning: {warning}")
    show(_document(done), _lines(done), as_json=as_json)


def _document(done: "Calibrated") -> dict[str, object]:
    return {
        "name": done.manifest.name,
        "version": done.manifest.version,
        "folder": done.manifest.folder,
        "domain": done.domain,
        "samples": len(done.cases.score),
        "asked": int(done.cases.asks.sum()),
        "cut": done.cases.cut,
        "accuracy": round(float(done.cases.right.mean()), 4),
        "method": done.fits[0].method,
        "chosen_by": "log_loss",
        "methods": {
            fit.method: {
                "log_loss": round(fit.log_loss, 4),
                "brier": round(fit.brier, 4),
                "ece": round(fit.ece, 4),
            }
            for fit in done.fits
        },
        "ece": round(done.fits[0].ece, 4),
        "answered_at_risk": {str(risk): answered(done.curve, risk) for risk in RISKS},
        "scope_threshold": done.curve.scope_threshold,
        "confidence": CONFIDENCE,
        "certified": [asdict(each) for each in _prices(done)],
        "loose": done.loose,
        "warnings": done.warnings,
    }


def _lines(done: "Calibrated") -> tuple[str, ...]:
    taken, other = done.fits
    samples, asked = len(done.cases.score), int(done.cases.asks.sum())
    said = f", {asked} of them out of scope by its own word" if asked else ""
    return (
        f"Calibrated {done.domain} of {done.manifest.name} in {done.manifest.folder}.",
        f"{samples} samples{said}; {done.cases.right.mean():.1%} right.",
        f"Method: {taken.method}, whose log loss on held-out rows is {taken.log_loss:.4f}.",
        f"Not {other.method}: its log loss is {other.log_loss:.4f}.",
        f"Calibration error: {taken.ece:.3f}. Brier score: {taken.brier:.4f}.",
        *(
            f"Its surest {answered(done.curve, risk):.0%} of answers are at most {risk:.0%} wrong."
            for risk in RISKS
        ),
        f"Bounds on error, certified {CONFIDENCE:.0%} sure:",
        *(f"  {price_line(each)}" for each in _prices(done)),
    )


def _prices(done: "Calibrated") -> list[Price]:
    return prices(done.manifest.head(done.domain))
