"""calibration.json as pydantic sees it: how far each head of one weight file can be trusted."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from broker.package.checked import Domain, Sha256, Share, Strict, checked, read_text
from broker.package.errors import ManifestError
from broker.package.heads import Curve

MAX_KNOTS = 40
Rows = Annotated[int, Field(ge=0)]


class CurveDocument(Strict):
    """One head's calibration."""

    method: Literal["isotonic", "logistic"]
    score: Literal["max_probability"]
    knots: list[tuple[Share, Share]] = Field(min_length=1, max_length=MAX_KNOTS)
    samples: int = Field(ge=1)
    ece: Share
    risk_coverage: tuple[tuple[Share, Share], ...] = ()
    risk_table: tuple[tuple[Share, Rows, Rows], ...] = ()
    scope_threshold: Share | None = None


class CalibrationDocument(Strict):
    """The whole of calibration.json."""

    weights_sha256: Sha256
    heads: dict[Domain, CurveDocument]


def read_calibration(path: Path) -> CalibrationDocument:
    """Parse calibration.json.

    Raises:
        ManifestError: it is no JSON, or has a wrong, missing or unknown key.
    """
    try:
        return checked(CalibrationDocument, json.loads(read_text(path)), path, "")
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}: this is not valid JSON: {error.msg}"
        raise ManifestError(message) from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 brackets
        raise ManifestError(f"{path}: this cannot be read: {error}") from error


def curve_of(found: CalibrationDocument | None, domain: str, path: Path) -> Curve | None:
    """Give the calibration of one head, or None if it has none.

    Raises:
        ManifestError: its numbers contradict each other.
    """
    if found is None or domain not in found.heads:
        return None
    curve = found.heads[domain]
    _check_knots(curve, path)
    _check_table(curve, path)
    return Curve(
        knots=tuple(curve.knots),
        samples=curve.samples,
        ece=curve.ece,
        risk_coverage=curve.risk_coverage,
        risk_table=curve.risk_table,
        scope_threshold=curve.scope_threshold,
        method=curve.method,
    )


def _check_knots(curve: CurveDocument, path: Path) -> None:
    for (low, low_chance), (high, high_chance) in pairwise(curve.knots):
        if high <= low or high_chance < low_chance:
            raise ManifestError(f"{path}: knots must rise in score and never fall in chance")


def _check_table(curve: CurveDocument, path: Path) -> None:
    for (high, fewer, wrong), (low, more, more_wrong) in pairwise(curve.risk_table):
        if not (low < high and fewer <= more and wrong <= more_wrong):
            raise ManifestError(f"{path}: risk_table must fall in score, and never in its counts")
    if any(wrong > kept or kept > curve.samples for _, kept, wrong in curve.risk_table):
        raise ManifestError(f"{path}: risk_table counts more rows than there are")
