"""package.toml, its labels and calibration.json -> Manifest; what `manifest.load_manifest` runs.

Apart from `manifest.py` because pydantic takes 15 MiB, and an engine child has better use for them.
"""

from pathlib import Path

from broker.package.curves import CalibrationDocument, curve_of, read_calibration
from broker.package.document import (
    HeadDocument,
    InputDocument,
    LabelHeadDocument,
    NumberHeadDocument,
    PackageDocument,
    PromptDocument,
    RecordDocument,
    TextDocument,
    TextHeadDocument,
    WindowDocument,
    read_package,
)
from broker.package.errors import ManifestError
from broker.package.files import PACKAGE_FILE, read_lines
from broker.package.heads import Curve, Head, LabelHead, NumberHead, TextHead
from broker.package.inputs import Input, PromptInput, RecordInput, TextInput, WindowInput
from broker.package.manifest import CALIBRATION_FILE, Manifest


def parse_package(folder: Path) -> Manifest:
    """Read and check a package's description; see `manifest.load_manifest`.

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
    used = {document.file}
    for head in document.heads:
        used |= {name for name in _files_of(head) if name is not None}
    if isinstance(document.input, TextDocument) and document.input.vocabulary:
        used.add(document.input.vocabulary)
    missing = sorted(used - set(document.files))
    if missing:
        raise ManifestError(f"{path}: [files] has no SHA-256 of {', '.join(missing)}; add it")


def _files_of(head: HeadDocument) -> tuple[str | None, ...]:
    match head:
        case LabelHeadDocument():
            return (head.labels,)
        case NumberHeadDocument():
            return ()
        case TextHeadDocument():
            return (head.labels, head.grammar, head.schema_, head.adapter)


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
    curve = curve_of(found, document.domain, folder / CALIBRATION_FILE)
    match document:
        case LabelHeadDocument():
            return LabelHead(
                domain=document.domain,
                labels=_labels(folder, document.labels, document.out_of_scope),
                out_of_scope=document.out_of_scope,
                curve=curve,
                output=document.output,
                scores=document.scores,
            )
        case NumberHeadDocument():
            return NumberHead(
                domain=document.domain,
                labels=(),
                out_of_scope=None,
                curve=curve,
                output=document.output,
                deviation=document.deviation,
                unit=document.unit,
                tolerance=document.tolerance,
            )
        case TextHeadDocument():
            return _text_head(folder, document, curve)


def _text_head(folder: Path, document: TextHeadDocument, curve: Curve | None) -> TextHead:
    return TextHead(
        domain=document.domain,
        labels=_labels(folder, document.labels, document.out_of_scope),
        out_of_scope=document.out_of_scope,
        curve=curve,
        prompt=document.prompt,
        chat=document.chat,
        system=document.system,
        max_tokens=document.max_tokens,
        stop=document.stop,
        grammar=document.grammar,
        schema=document.schema_,
        adapter=document.adapter,
        score=document.score,
    )


def _labels(folder: Path, name: str | None, out_of_scope: str | None) -> tuple[str, ...]:
    labels = () if name is None else read_lines(folder / name)
    if out_of_scope is not None and out_of_scope not in labels:
        raise ManifestError(
            f"{folder / PACKAGE_FILE}: out_of_scope is {out_of_scope!r}, "
            f"but {name or 'the head'} has no such label"
        )
    return labels


def _input(document: InputDocument, path: Path) -> Input:
    match document:
        case TextDocument():
            return TextInput(
                document.tokenizer,
                document.vocabulary or "",
                document.max_tokens,
                tuple(document.stand_ins.items()),
            )
        case PromptDocument():
            return PromptInput(document.context)
        case WindowDocument():
            if document.units and len(document.units) != len(document.channels):
                raise ManifestError(f"{path}: units must be as many as channels, or left out")
            return WindowInput(
                tuple(document.channels),
                document.length,
                document.rate_hz,
                document.units,
                document.features,
                document.layout,
            )
        case RecordDocument():
            strings = tuple((name, known) for name, known in document.strings.items())
            if not document.numbers and not strings:
                raise ManifestError(f"{path}: a record input needs numbers or strings")
            return RecordInput(document.numbers, strings)
