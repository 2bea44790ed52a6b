"""What an ONNX model takes -> [input]: a text, a record or a window, and all that it tells."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from broker.package.nodes import Node
from broker.package.text_roles import ROLES
from broker.wire.payload import PayloadKind
from firstline.exits import CommandError, ExitCode
from firstline.packing.beside import TOKENIZERS, find_beside, longest_text
from firstline.packing.onnx_file import OnnxFile
from firstline.packing.recipe import Toml
from firstline.packing.wishes import Findings, Wishes

Given = tuple[dict[str, Toml], dict[str, Path | str]]  # [input], and the files that it names

_STRING: Final = "tensor(string)"
_WHOLE: Final = ("tensor(int64)", "tensor(int32)")
_COLOURS: Final = (1, 3, 4)  # channels of an image
_TOKENS: Final = 128  # of a text, where nothing says how many the model bears


def decide_input(file: OnnxFile, wishes: Wishes, findings: Findings) -> Given:
    """The [input] of a package.

    Raises:
        CommandError: no payload becomes what the model takes.
    """
    payload = wishes.payload or _payload(file, wishes, findings)
    match payload:
        case PayloadKind.TEXT:
            return _text(file, wishes, findings)
        case PayloadKind.RECORD:
            return _record(file, wishes, findings), {}
        case PayloadKind.WINDOW:
            return _window(file, wishes, findings), {}
        case None:
            sizes = file.inputs[0].shape if file.inputs else ()
            count = sizes[-1] if sizes and sizes[-1] else "its"
            findings.ask(
                "--number FIELD or --channel NAME",
                f"what goes in: the {count} fields of a record, or the channels of a window",
            )
            return {}, {}


def _payload(file: OnnxFile, wishes: Wishes, findings: Findings) -> PayloadKind | None:
    _refuse_images(file, wishes)
    nodes, kind, why = file.inputs, None, ""
    if wishes.numbers or wishes.strings:
        kind, why = PayloadKind.RECORD, "fields were given"
    elif wishes.channels or wishes.features:
        kind, why = PayloadKind.WINDOW, "channels or features were given"
    elif wishes.vocabulary is not None:
        kind, why = PayloadKind.TEXT, "a vocabulary was given"
    elif _takes_ids(nodes):
        kind, why = PayloadKind.TEXT, "it takes token ids"
    elif len(nodes) == 1 and nodes[0].kind == _STRING:
        kind, why = PayloadKind.TEXT, "it takes a string"
    elif len(nodes) > 1:
        kind, why = PayloadKind.RECORD, "it has an input for each field"
    elif nodes and len(nodes[0].shape) == 3:  # noqa: PLR2004 - (1, samples, channels)
        kind, why = PayloadKind.WINDOW, "its input has three axes"
    if kind is not None:
        findings.decide(f"--payload {kind}", why)
    return kind


def _takes_ids(nodes: Sequence[Node]) -> bool:
    whole = all(node.kind in _WHOLE for node in nodes)
    named = all(node.name.lower() in ROLES for node in nodes)
    free = len(nodes) == 1 and len(nodes[0].shape) == 2 and nodes[0].shape[1] is None  # noqa: PLR2004 - (1, tokens)
    return bool(nodes) and whole and (named or free)


def _refuse_images(file: OnnxFile, wishes: Wishes) -> None:
    for node in file.inputs:
        sizes = node.shape
        if len(sizes) == 4 and {sizes[1], sizes[3]} & set(_COLOURS) and not wishes.channels:  # noqa: PLR2004 - (1, C, H, W)
            told = ", ".join("any" if size is None else str(size) for size in sizes)
            raise CommandError(
                f"{file.path} takes {node.name} ({told}), which looks like an image; firstline "
                "carries texts, records and windows of samples, and has no image payload",
                ExitCode.MODEL,
            )


def _text(file: OnnxFile, wishes: Wishes, findings: Findings) -> Given:
    if [node.kind for node in file.inputs] == [_STRING]:
        return {"payload": "text", "tokenizer": "none"}, {}
    vocabulary = wishes.vocabulary
    if vocabulary is None:
        vocabulary = find_beside(file.path, TOKENIZERS)
        if vocabulary is None:
            findings.ask("--vocabulary FILE", "its tokenizer.json, or a WordPiece vocab.txt")
            return {}, {}
        findings.decide(f"--vocabulary {vocabulary}", "it lies beside the model")
    is_json = vocabulary.suffix == ".json"
    name = "tokenizer.json" if is_json else "vocabulary.txt"
    tokenizer = "tokenizer.json" if is_json else "wordpiece-uncased"
    sizes = [node.shape[1] for node in file.inputs if len(node.shape) > 1 and node.shape[1]]
    tokens, why = wishes.max_tokens, ""
    if tokens is None and sizes:
        tokens, why = sizes[0], "the model takes no other number"
    elif tokens is None:
        said = longest_text(file.path)
        tokens, why = min(said or _TOKENS, _TOKENS), "config.json" if said else "a usual number"
    if why:
        findings.decide(f"--max-tokens {tokens}", why)
    given: dict[str, Toml] = {"payload": "text", "tokenizer": tokenizer, "vocabulary": name}
    return given | {"max_tokens": tokens or _TOKENS}, {name: vocabulary}


def _record(file: OnnxFile, wishes: Wishes, findings: Findings) -> dict[str, Toml]:
    numbers, strings = wishes.numbers, wishes.strings
    nodes = file.inputs
    if not numbers and not strings and (len(nodes) > 1 or [n.kind for n in nodes] == [_STRING]):
        numbers = tuple(node.name for node in nodes if node.kind != _STRING)
        strings = tuple((node.name, ()) for node in nodes if node.kind == _STRING)
        findings.decide(f"fields {', '.join(node.name for node in nodes)}", "they are its inputs")
    wanted = nodes[0].shape[-1] if len(nodes) == 1 and nodes[0].shape else None
    given = len(numbers) + len(strings)
    if not given or (wanted is not None and given != wanted):
        count = "each" if wanted is None else f"each of its {wanted}"
        findings.ask(
            "--number FIELD, --string FIELD=A,B",
            f"{count} fields in order, numbers before strings; {given} were given",
        )
    return {"payload": "record", "numbers": numbers, "strings": dict(strings)}


def _window(file: OnnxFile, wishes: Wishes, findings: Findings) -> dict[str, Toml]:
    if len(file.inputs) != 1:
        names = ", ".join(node.name for node in file.inputs)
        raise CommandError(
            f"{file.path} has the inputs {names}; a window goes into one", ExitCode.MODEL
        )
    sizes = file.inputs[0].shape[-2:] if len(file.inputs[0].shape) > 2 else ()  # noqa: PLR2004 - (1, T, C)
    layout = wishes.layout or _layout(sizes, wishes, findings)
    places = {"time_first": (0, 1), "channels_first": (1, 0)}.get(layout, (0, 1))
    length_said, channels_said = (sizes[places[0]], sizes[places[1]]) if sizes else (None, None)
    length = wishes.length or length_said
    if length is None:
        findings.ask("--length SAMPLES", "of each channel; the model does not say")
    elif wishes.length is None:
        findings.decide(f"--length {length}", f"its input is {layout.replace('_', ' ')}")
    if not wishes.channels or (channels_said or len(wishes.channels)) != len(wishes.channels):
        count = "each" if channels_said is None else f"each of its {channels_said}"
        findings.ask("--channel NAME", f"{count} channels, in order")
    if wishes.rate_hz is None:
        findings.ask("--rate-hz HZ", "samples per second that it was trained on")
    given: dict[str, Toml] = {
        "payload": "window",
        "channels": wishes.channels,
        "length": length or 1,
        "rate_hz": wishes.rate_hz or 1.0,
        "units": wishes.units,
        "features": wishes.features,
    }
    return given if layout == "time_first" else given | {"layout": layout}


def _layout(sizes: tuple[int | None, ...], wishes: Wishes, findings: Findings) -> str:
    """Which axis is time: by the number of channels or samples, where one of them tells."""
    if wishes.features or not sizes:
        return "time_first"
    channels, length = len(wishes.channels) or None, wishes.length
    fits = {
        name
        for name, (samples, columns) in (("time_first", sizes), ("channels_first", sizes[::-1]))
        if (channels is None or columns in (None, channels))
        and (length is None or samples in (None, length))
        and columns is not None
    }
    if len(fits) == 1:
        (layout,) = fits
        findings.decide(f"--layout {layout}", "so its channels fit")
        return layout
    first, second = sizes
    unsaid = channels is None or not fits
    if unsaid and first is not None and second is not None and first != second:
        layout = "channels_first" if first < second else "time_first"
        findings.decide(f"--layout {layout}", "a window has more samples than channels")
        return layout
    findings.ask("--layout time_first|channels_first", "which axis of its input is time")
    return "time_first"
