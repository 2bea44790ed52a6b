"""A model package as frozen values: what it takes, what it answers, how far it can be trusted.

    FOLDER/package.toml + labels + calibration.json -> Manifest

Reads small files only, and imports no numpy: the resident process may do it.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from broker.package.document import (
    CalibrationDocument,
    HeadDocument,
    PackageDocument,
    RecordDocument,
    TextDocument,
    WindowDocument,
    read_calibration,
    read_package,
)
from broker.package.errors import ManifestError
from broker.package.files import PACKAGE_FILE, read_lines
from broker.wire.payload import PayloadKind

CALIBRATION_FILE = "calibration.json"

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TextInput:
    """A model for texts."""

    tokenizer: str
    vocabulary: str  # file name
    max_tokens: int


@dataclass(frozen=True, slots=True)
class WindowInput:
    """A model for windows (length, channels)."""

    channels: tuple[str, ...]
    length: int  # samples of each channel
    rate_hz: float
    units: tuple[str, ...]
    features: tuple[str, ...]  # of each channel; none: the samples themselves


@dataclass(frozen=True, slots=True)
class RecordInput:
    """A model for records."""

    numbers: tuple[str, ...]  # field names
    strings: tuple[tuple[str, tuple[str, ...]], ...]  # (field name, its categories)


@dataclass(frozen=True, slots=True)
class Curve:
    """A head's calibration, fitted on the very file that runs."""

    knots: Points  # (score, chance of being right), scores rising, chances never falling
    samples: int
    ece: float  # expected calibration error, cross-fitted, in [0, 1]
    risk_coverage: Points  # (share answered, share of those that is wrong)


@dataclass(frozen=True, slots=True)
class Head:
    """One output of the model."""

    domain: str
    output: str  # the model's name for it; empty: its only output
    labels: tuple[str, ...]
    out_of_scope: str | None  # the label that always means: ask
    scores: str  # "logits" or "probabilities"
    curve: Curve | None  # None: never measured, never trusted


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked package.toml and what belongs to it."""

    folder: Path
    name: str
    version: str
    kind: str
    engine: str
    file: str
    licence: str
    ram_mb: int  # that the model adds to a process with the engine loaded
    parent: str  # a larger package for the same domains, or empty
    files: tuple[tuple[str, str], ...]  # (name, SHA-256) of all that must be intact
    input: TextInput | WindowInput | RecordInput
    heads: tuple[Head, ...]
    training: tuple[tuple[str, str], ...]  # what a model card says, as text

    @property
    def payload(self) -> PayloadKind:
        """The payload kind that the model takes."""
        match self.input:
            case TextInput():
                return PayloadKind.TEXT
            case WindowInput():
                return PayloadKind.WINDOW
            case RecordInput():
                return PayloadKind.RECORD

    def head(self, domain: str) -> Head:
        """Find the head of a domain.

        Raises:
            ManifestError: the package has no such domain.
        """
        for head in self.heads:
            if head.domain == domain:
                return head
        known = ", ".join(head.domain for head in self.heads)
        raise ManifestError(f"{self.name} answers for {known}; it has no domain {domain!r}")


def load_manifest(folder: Path) -> Manifest:
    """Read and check a package's description; weights are checked by `files.verify_files`.

    Raises:
        ManifestError: a file is missing or wrong; the message names file, line and remedy.
    """
    path = folder / PACKAGE_FILE
    document = read_package(path)
    _check_files(document, path)
    calibration = _calibration(folder, document)
    heads = tuple(_head(folder, head, calibration) for head in document.heads)
    if len({head.domain for head in heads}) < len(heads):
        raise ManifestError(f"{path}: two heads have the same domain; give each its own")
    return Manifest(
        folder=folder,
        name=document.name,
        version=document.version,
        kind=document.kind,
        engine=document.engine,
        file=document.file,
        licence=document.licence,
        ram_mb=document.ram_mb,
        parent=document.parent,
        files=tuple(document.files.items()),
        input=_input(document.input, path),
        heads=heads,
        training=tuple((key, str(value)) for key, value in document.training.items()),
    )


def _check_files(document: PackageDocument, path: Path) -> None:
    used = {document.file, *(head.labels for head in document.heads)}
    if isinstance(document.input, TextDocument):
        used.add(document.input.vocabulary)
    missing = sorted(used - set(document.files))
    if missing:
        raise ManifestError(f"{path}: [files] has no SHA-256 of {', '.join(missing)}; add it")


def _calibration(folder: Path, document: PackageDocument) -> CalibrationDocument | None:
    path = folder / CALIBRATION_FILE
    if not path.exists():
        return None
    found = read_calibration(path)
    if found.weights_sha256 != document.files[document.file]:
        raise ManifestError(
            f"{path} was fitted on another file than {document.file}; a calibration of other "
            "weights says nothing of these. Remove it, and calibrate again"
        )
    return found


def _head(folder: Path, document: HeadDocument, found: CalibrationDocument | None) -> Head:
    labels = read_lines(folder / document.labels)
    if document.out_of_scope is not None and document.out_of_scope not in labels:
        raise ManifestError(
            f"{folder / PACKAGE_FILE}: out_of_scope is {document.out_of_scope!r}, "
            f"but {document.labels} has no such label"
        )
    return Head(
        domain=document.domain,
        output=document.output,
        labels=labels,
        out_of_scope=document.out_of_scope,
        scores=document.scores,
        curve=_curve(folder, document.domain, found),
    )


def _curve(folder: Path, domain: str, found: CalibrationDocument | None) -> Curve | None:
    if found is None or domain not in found.heads:
        return None
    curve = found.heads[domain]
    knots = _rising(curve.knots, folder / CALIBRATION_FILE)
    return Curve(knots, curve.samples, curve.ece, tuple(curve.risk_coverage))


def _rising(knots: list[tuple[float, float]], path: Path) -> Points:
    for (low, low_chance), (high, high_chance) in pairwise(knots):
        if high <= low or high_chance < low_chance:
            raise ManifestError(f"{path}: knots must rise in score and never fall in chance")
    return tuple(knots)


def _input(
    document: TextDocument | WindowDocument | RecordDocument, path: Path
) -> TextInput | WindowInput | RecordInput:
    match document:
        case TextDocument():
            return TextInput(document.tokenizer, document.vocabulary, document.max_tokens)
        case WindowDocument():
            if document.units and len(document.units) != len(document.channels):
                raise ManifestError(f"{path}: units must be as many as channels, or left out")
            return WindowInput(
                tuple(document.channels),
                document.length,
                document.rate_hz,
                tuple(document.units),
                tuple(document.features),
            )
        case RecordDocument():
            strings = tuple((name, tuple(known)) for name, known in document.strings.items())
            if not document.numbers and not strings:
                raise ManifestError(f"{path}: a record input needs numbers or strings")
            return RecordInput(tuple(document.numbers), strings)
