"""calibration.json as pydantic sees it: how far each head of one weight file can be trusted."""

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from broker.package.checked import Domain, Sha256, Share, Strict, checked, read_text
from broker.package.errors import ManifestError

MAX_KNOTS = 40


class CurveDocument(Strict):
    """One head's calibration."""

    method: Literal["isotonic", "logistic"]
    score: Literal["max_probability"]
    knots: list[tuple[Share, Share]] = Field(min_length=1, max_length=MAX_KNOTS)
    samples: int = Field(ge=1)
    ece: Share
    risk_coverage: tuple[tuple[Share, Share], ...] = ()


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
