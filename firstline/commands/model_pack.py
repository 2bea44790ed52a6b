"""`firstline model pack`: a package of any ONNX or GGUF file, without code."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broker.wire.payload import PayloadKind
from firstline.console import JsonOption, show
from firstline.exits import CommandError, ExitCode
from firstline.packing import make, telling
from firstline.packing.decide import decide
from firstline.packing.recipe import name_of
from firstline.packing.wishes import Findings, Wishes


class Kind(StrEnum):
    """What a model answers with."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    GENERATION = "generation"


class Scores(StrEnum):
    """What a classifier's output is."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"


class Layout(StrEnum):
    """Which axis of a window comes first."""

    TIME_FIRST = "time_first"
    CHANNELS_FIRST = "channels_first"


def _existing(what: str, panel: str | None = None) -> object:
    return typer.Option(
        exists=True, dir_okay=False, metavar="FILE", help=what, rich_help_panel=panel
    )


def _said(metavar: str, what: str) -> object:
    return typer.Option(metavar=metavar, help=what)


def pack(  # noqa: PLR0913 - each is an option of the command
    model: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help=".onnx or .gguf")
    ],
    *,
    inspect: Annotated[bool, typer.Option("--inspect", help="Only tell what it is.")] = False,
    out: Annotated[Path | None, _said("DIR", "The package's folder; else models/NAME.")] = None,
    name: Annotated[str, _said("NAME", "Of the package; else after the file.")] = "",
    domain: Annotated[str, _said("DOMAIN", "Such as home/lighting; else the name.")] = "",
    version: Annotated[str, _said("X.Y.Z", "Of the package.")] = "1.0.0",
    licence: Annotated[str, _said("TEXT", "Of the weights.")] = "unknown",
    parent: Annotated[str, _said("NAME", "A larger package.")] = "",
    kind: Annotated[Kind | None, typer.Option(help="If the outputs do not tell.")] = None,
    payload: Annotated[PayloadKind | None, typer.Option(help="If the inputs do not tell.")] = None,
    labels: Annotated[Path | None, _existing("One on a line, in the output's order.")] = None,
    out_of_scope: Annotated[str, _said("LABEL", "It means: ask.")] = "",
    output: Annotated[str, _said("NAME", "If the model has several.")] = "",
    scores: Annotated[Scores | None, typer.Option(help="What the output is.")] = None,
    tolerance: Annotated[float | None, _said("NUMBER", "number: off by no more is right.")] = None,
    deviation: Annotated[str, _said("NAME", "number: output with its deviation.")] = "",
    answer_unit: Annotated[str, _said("UNIT", "number: such as K.")] = "",
    vocabulary: Annotated[
        Path | None, _existing("text: tokenizer.json, or a WordPiece vocabulary.")
    ] = None,
    max_tokens: Annotated[int | None, _said("N", "text: at most; GGUF: of an answer.")] = None,
    number: Annotated[list[str] | None, _said("FIELD", "record: a number, in order.")] = None,
    string: Annotated[
        list[str] | None, _said("FIELD=A,B", "record: a string, its categories, in order.")
    ] = None,
    channel: Annotated[list[str] | None, _said("NAME", "window: a channel, in order.")] = None,
    length: Annotated[int | None, _said("N", "window: samples of each channel.")] = None,
    rate_hz: Annotated[float | None, _said("HZ", "window: samples per second.")] = None,
    unit: Annotated[list[str] | None, _said("UNIT", "window: of each channel.")] = None,
    feature: Annotated[list[str] | None, _said("FEATURE", "window: such as rms.")] = None,
    layout: Annotated[Layout | None, typer.Option(help="window: its first axis.")] = None,
    context: Annotated[int | None, _said("TOKENS", "GGUF: of prompt and answer.")] = None,
    prompt: Annotated[str, _said("TEXT", "GGUF: with {text} in it.")] = "",
    chat: Annotated[bool | None, typer.Option(help="GGUF: by its chat template.")] = None,
    system: Annotated[str, _said("TEXT", "GGUF, chat: the system's message.")] = "",
    grammar: Annotated[Path | None, _existing("GGUF: GBNF of an answer.")] = None,
    schema: Annotated[Path | None, _existing("GGUF: JSON Schema of an answer.")] = None,
    adapter: Annotated[Path | None, _existing("GGUF: LoRA, also a GGUF file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a package of an ONNX or GGUF file, and let it answer once.

    What the file tells is decided without asking, and printed. Its answers are escalated until it
    has a calibration.
    """
    wishes = Wishes(
        model=model,
        name=name,
        domain=domain,
        version=version,
        licence=licence,
        parent=parent,
        kind=kind or "",
        payload=payload,
        labels=labels,
        out_of_scope=out_of_scope,
        output=output,
        scores=scores or "",
        deviation=deviation,
        tolerance=tolerance,
        unit=answer_unit,
        vocabulary=vocabulary,
        max_tokens=max_tokens,
        numbers=tuple(number or ()),
        strings=tuple(map(_categories, string or ())),
        channels=tuple(channel or ()),
        length=length,
        rate_hz=rate_hz,
        units=tuple(unit or ()),
        features=tuple(feature or ()),
        layout=layout or "",
        context=context,
        prompt=prompt,
        chat=chat,
        system=system,
        grammar=grammar,
        schema=schema,
        adapter=adapter,
    )
    findings = Findings()
    recipe = decide(wishes, findings)
    if inspect:
        document = telling.inspected(wishes, findings)
        lines = telling.inspected_lines(wishes, findings)
    elif findings.missing:
        raise _incomplete(wishes, findings)
    else:
        packed = make.pack(recipe, out or Path("models") / name_of(wishes))
        document = telling.packed_document(packed, findings)
        lines = telling.packed_lines(packed, findings)
    show(document, lines, as_json=as_json)


def _categories(given: str) -> tuple[str, tuple[str, ...]]:
    name, equals, known = given.partition("=")
    if not name or not equals:
        raise typer.BadParameter(
            f"--string {given}: write FIELD=A,B with all its categories, or FIELD= for any"
        )
    return name, tuple(known.split(",")) if known else ()


def _incomplete(wishes: Wishes, findings: Findings) -> CommandError:
    asked = "\n".join(f"  {option}  {what}" for option, what in findings.missing)
    return CommandError(
        f"{wishes.model} does not tell everything; say also:\n{asked}",
        ExitCode.USAGE,
        fix=f"firstline model pack {wishes.model} --inspect",
    )
