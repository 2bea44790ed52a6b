"""package.toml and calibration.json as pydantic sees them, at the door.

    bytes --tomllib/json--> objects --pydantic--> documents --manifest.py--> frozen values

Every problem of a file is told at once, each with its line and, for a misspelt key, the
nearest right one.
"""

import json
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from broker.package.errors import ManifestError

# A plain name inside the package's own folder: no separator, so no way out of it.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+){0,5}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
MAX_KNOTS = 40

_KEY_LINE = re.compile(r"^\s*(?:\[\[?\s*)?([A-Za-z0-9_.\"-]+)\s*(?:=|\])")
_Document = TypeVar("_Document", bound=BaseModel)


class Strict(BaseModel):
    """A table in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TextDocument(Strict):
    """[input] of a model for texts."""

    payload: Literal["text"]
    tokenizer: Literal["wordpiece-uncased"]
    vocabulary: FileName
    max_tokens: int = Field(ge=3, le=4096)


class WindowDocument(Strict):
    """[input] of a model for windows. No features: the model takes the samples themselves."""

    payload: Literal["window"]
    channels: list[str] = Field(min_length=1)
    length: int = Field(ge=1)  # samples of each channel
    rate_hz: float = Field(gt=0)
    units: list[str] = []
    features: list[str] = []


class RecordDocument(Strict):
    """[input] of a model for records: numbers in order, then strings with their categories."""

    payload: Literal["record"]
    numbers: list[str] = []
    strings: dict[str, list[str]] = {}


class HeadDocument(Strict):
    """One output of the model. Without a name it is the model's only output."""

    domain: Domain
    output: str = ""
    labels: FileName
    out_of_scope: str | None = None
    scores: Literal["logits", "probabilities"] = "logits"


class PackageDocument(Strict):
    """The whole of package.toml."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    kind: Literal["classification"]
    engine: Literal["onnxruntime"]
    file: FileName
    licence: str
    ram_mb: int = Field(ge=1)
    parent: str = ""
    files: dict[FileName, Sha256]
    input: Annotated[TextDocument | WindowDocument | RecordDocument, Field(discriminator="payload")]
    heads: list[HeadDocument] = Field(min_length=1)
    training: dict[str, str | int | float | dict[str, str | int | float]] = {}


class CurveDocument(Strict):
    """One head's calibration."""

    method: Literal["isotonic", "logistic"]
    score: Literal["max_probability"]
    knots: list[tuple[Share, Share]] = Field(min_length=1, max_length=MAX_KNOTS)
    samples: int = Field(ge=1)
    ece: Share
    risk_coverage: list[tuple[Share, Share]] = []


class CalibrationDocument(Strict):
    """The whole of calibration.json."""

    weights_sha256: Sha256
    heads: dict[Domain, CurveDocument]


def read_package(path: Path) -> PackageDocument:
    """Parse package.toml.

    Raises:
        ManifestError: it is missing, is no TOML, or has a wrong, missing or unknown key.
    """
    text = _read(path)
    try:
        return _checked(PackageDocument, tomllib.loads(text), path, text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: this is not valid TOML: {error}") from error


def read_calibration(path: Path) -> CalibrationDocument:
    """Parse calibration.json.

    Raises:
        ManifestError: it is no JSON, or has a wrong, missing or unknown key.
    """
    try:
        return _checked(CalibrationDocument, json.loads(_read(path)), path, "")
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}: this is not valid JSON: {error.msg}"
        raise ManifestError(message) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        message = f"{path} does not exist; a model package is a folder with it"
        raise ManifestError(message) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error


def _checked(shape: type[_Document], value: object, path: Path, text: str) -> _Document:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        problems = [
            _told(path, text, [str(part) for part in problem["loc"]], problem["msg"])
            for problem in error.errors()
        ]
        raise ManifestError("\n".join(problems)) from error


def _told(path: Path, text: str, place: list[str], message: str) -> str:
    line = _line_of(text, place)
    where = f"{path}:{line}" if line else str(path)
    hint = ""
    if message.startswith("Extra inputs"):
        message = "there is no such key"
        near = get_close_matches(place[-1], _keys(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
    elif message == "Field required":
        message = "this key is missing"
    return f"{where}: {'.'.join(place)}: {message}{hint}"


def _line_of(text: str, place: list[str]) -> int:
    """Find the line of the innermost key of a place that the text has, or 0."""
    lines = [match and match[1].strip('"') for match in map(_KEY_LINE.match, text.splitlines())]
    for key in reversed(place):
        for number, name in enumerate(lines, start=1):
            if name is not None and name.rpartition(".")[2] == key:
                return number
    return 0


def _keys() -> list[str]:
    shapes = (PackageDocument, HeadDocument, TextDocument, WindowDocument, RecordDocument)
    more = (CalibrationDocument, CurveDocument)
    return sorted({key for shape in (*shapes, *more) for key in shape.model_fields})
