"""`firstline model pack`: a package of any ONNX classifier, without code."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broker.package.inputs import RecordInput, TextInput, WindowInput
from broker.package.manifest import Manifest
from broker.wire.payload import PayloadKind
from firstline.console import JsonOption, show
from firstline.packing import TOKENIZER, VOCABULARY_FILE, Packed, Recipe
from firstline.packing import pack as make_package

_UNTRUSTED = (
    "It has no calibration yet: an agent does not trust it and asks the cloud for every answer. "
    "`firstline model calibrate` makes one."
)


class Scores(StrEnum):
    """What the model's output is."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"


def _existing(what: str) -> object:
    return typer.Option(exists=True, dir_okay=False, metavar="FILE", help=what)


def _input(metavar: str, what: str) -> object:
    return typer.Option(metavar=metavar, help=what, rich_help_panel="input")


def pack(  # noqa: PLR0913 - each is an option of the command
    model: Annotated[
        Path, typer.Argument(metavar="FILE.onnx", exists=True, dir_okay=False, help="One input.")
    ],
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="Of the package.")],
    domain: Annotated[str, typer.Option(metavar="DOMAIN", help="Such as home/lighting.")],
    labels: Annotated[Path, _existing("One label on a line, in the order of the output.")],
    payload: Annotated[PayloadKind, typer.Option(help="What goes in.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The package's folder.")],
    vocabulary: Annotated[
        Path | None, _existing("text: WordPiece vocabulary, one piece on a line.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=3, max=4096, help="text: at most.")] = 64,
    number: Annotated[list[str] | None, _input("FIELD", "record: a number, in order.")] = None,
    string: Annotated[
        list[str] | None, _input("FIELD=A,B", "record: a string and its categories, in order.")
    ] = None,
    channel: Annotated[list[str] | None, _input("NAME", "window: a channel, in order.")] = None,
    length: Annotated[int, typer.Option(min=1, help="window: samples of each channel.")] = 1,
    rate_hz: Annotated[float, typer.Option(min=0, help="window: samples per second.")] = 1.0,
    unit: Annotated[list[str] | None, _input("UNIT", "window: of each channel.")] = None,
    feature: Annotated[
        list[str] | None, _input("FEATURE", "window: such as rms; none: the samples.")
    ] = None,
    output: Annotated[str, typer.Option(metavar="NAME", help="If the model has several.")] = "",
    out_of_scope: Annotated[str, typer.Option(metavar="LABEL", help="It means: ask.")] = "",
    scores: Annotated[Scores, typer.Option(help="What the output is.")] = Scores.LOGITS,
    version: Annotated[str, typer.Option(metavar="X.Y.Z")] = "1.0.0",
    licence: Annotated[str, typer.Option(metavar="TEXT")] = "unknown",
    parent: Annotated[str, typer.Option(metavar="NAME", help="A larger package.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a package of an ONNX classifier, and let it answer once.

    Its answers are escalated until it has a calibration.
    """
    wanted: TextInput | RecordInput | WindowInput
    match payload:
        case PayloadKind.TEXT:
            wanted = TextInput(TOKENIZER, VOCABULARY_FILE, max_tokens)
        case PayloadKind.RECORD:
            wanted = RecordInput(tuple(number or ()), tuple(map(_categories, string or ())))
        case PayloadKind.WINDOW:
            wanted = WindowInput(
                tuple(channel or ()), length, rate_hz, tuple(unit or ()), tuple(feature or ())
            )
    _check(wanted, vocabulary)
    recipe = Recipe(
        model=model,
        labels=labels,
        vocabulary=vocabulary,
        name=name,
        version=version,
        licence=licence,
        domain=domain,
        output=output,
        out_of_scope=out_of_scope,
        scores=scores,
        parent=parent,
        input=wanted,
    )
    packed = make_package(recipe, out)
    show(_document(packed), _lines(packed), as_json=as_json)


def _categories(given: str) -> tuple[str, tuple[str, ...]]:
    name, equals, known = given.partition("=")
    if not name or not equals or not known:
        raise typer.BadParameter(f"--string {given}: write FIELD=A,B with all its categories")
    return name, tuple(known.split(","))


def _check(wanted: TextInput | RecordInput | WindowInput, vocabulary: Path | None) -> None:
    match wanted:
        case TextInput() if vocabulary is None:
            raise typer.BadParameter("a model for texts needs its --vocabulary")
        case RecordInput(numbers=(), strings=()):
            raise typer.BadParameter("a model for records needs a --number or a --string")
        case WindowInput(channels=()):
            raise typer.BadParameter("a model for windows needs a --channel")
        case _:
            return


def _document(packed: Packed) -> dict[str, object]:
    manifest = packed.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "folder": manifest.folder,
        "ram_mb": packed.ram_mb,
        "tried": {"answer": packed.tried.answer, "elapsed_ms": round(packed.tried.elapsed_ms, 3)},
        "calibrated": False,
        "note": _UNTRUSTED,
        "next": _next(manifest),
    }


def _lines(packed: Packed) -> tuple[str, ...]:
    manifest, tried = packed.manifest, packed.tried
    return (
        f"Made {manifest.name} {manifest.version} in {manifest.folder}.",
        f"Tried: {tried.answer!r} in {tried.elapsed_ms:.1f} ms, {packed.ram_mb} MB of memory.",
        _UNTRUSTED,
        f"Next:  {_next(manifest)}",
    )


def _next(manifest: Manifest) -> str:
    return f'write package = "{manifest.folder.resolve()}" under [models.NAME] in the settings'
