"""What an ONNX model gives -> its kind and its head: labels and scores, or a number."""

from pathlib import Path
from typing import Final

from broker.package.files import read_lines
from broker.package.nodes import Node
from firstline.exits import CommandError, ExitCode
from firstline.packing.beside import labels_beside
from firstline.packing.onnx_file import OnnxFile
from firstline.packing.recipe import LABELS_FILE, Toml
from firstline.packing.wishes import Findings, Wishes

_FLOATS: Final = ("tensor(float)", "tensor(double)", "tensor(float16)")
_THROUGH: Final = ("Identity", "Cast", "Reshape", "Squeeze", "Flatten", "ZipMap", "Unsqueeze")
_PROBABILITIES: Final = ("Softmax", "Sigmoid", "Normalizer", "TreeEnsembleClassifier")
_SPREAD: Final = ("std", "dev", "sigma")  # what exporters call a standard deviation


def decide_kind(file: OnnxFile, wishes: Wishes, findings: Findings) -> str:
    """Classification or regression, by the outputs.

    Raises:
        CommandError: neither.
    """
    if wishes.kind:
        return wishes.kind
    labelled = wishes.labels is not None or _class_labels(file)
    numbers = [node for node in file.outputs if _is_number(node)]
    if not labelled and numbers and len(numbers) == len(file.outputs):
        findings.decide("--kind regression", "each output is one number")
        return "regression"
    findings.decide("--kind classification", "it scores labels")
    return "classification"


def label_head(
    file: OnnxFile, wishes: Wishes, findings: Findings
) -> tuple[dict[str, Toml], dict[str, Path | str]]:
    """The head of a classifier, and its labels' file.

    Raises:
        CommandError: no output has a score for each label.
        PackageError: the labels cannot be used.
    """
    node = _scores_of(file, wishes, findings)
    labels: Path | str
    if wishes.labels is not None:
        labels = wishes.labels
        read_lines(labels)
    else:
        labels = _labels(file, node, findings)
    head: dict[str, Toml] = {
        "labels": LABELS_FILE,
        "output": node.name,
        "scores": wishes.scores or _scores(file, node, findings),
    }
    if wishes.out_of_scope:
        head["out_of_scope"] = wishes.out_of_scope
    return head, {LABELS_FILE: labels}


def number_head(file: OnnxFile, wishes: Wishes, findings: Findings) -> dict[str, Toml]:
    """The head of a regressor."""
    spread = [n for n in file.outputs if any(word in n.name.lower() for word in _SPREAD)]
    deviation = wishes.deviation or (spread[0].name if len(file.outputs) > 1 and spread else "")
    if deviation and not wishes.deviation:
        findings.decide(f"--deviation {deviation}", "it is called like a standard deviation")
    others = [node for node in file.outputs if node.name != deviation]
    node = _named(others, wishes.output) if wishes.output or len(others) == 1 else None
    if node is None:
        findings.ask("--output NAME", f"which is the number: {_names(others)}")
    if wishes.tolerance is None:
        findings.ask("--tolerance NUMBER", "an answer off by no more than this is right")
    head: dict[str, Toml] = {
        "output": node.name if node else "",
        "deviation": deviation,
        "unit": wishes.unit,
        "tolerance": wishes.tolerance or 1.0,
    }
    return {key: value for key, value in head.items() if value != ""}


def _scores_of(file: OnnxFile, wishes: Wishes, findings: Findings) -> Node:
    fit = [n for n in file.outputs if n.kind.startswith("seq(map(") or _is_row(n)]
    if wishes.output:
        return _named(file.outputs, wishes.output)
    if len(fit) == 1:
        if len(file.outputs) > 1:
            findings.decide(f"--output {fit[0].name}", "the only one with scores")
        return fit[0]
    if fit:
        findings.ask("--output NAME", f"which scores the labels: {_names(fit)}")
        return fit[0]
    told = ", ".join(f"{node.name} {node.kind} {_shape(node)}" for node in file.outputs)
    raise CommandError(
        f"{file.path} gives {told}; a package needs one output with a score for each label, "
        "(1, labels), or one number, (1, 1)",
        ExitCode.MODEL,
    )


def _labels(file: OnnxFile, node: Node, findings: Findings) -> str:
    inside = _class_labels(file)
    count = node.shape[-1] if len(node.shape) > 1 else None
    found, where = (inside, "they are in the model") if inside else labels_beside(file.path)
    if inside and node.kind.startswith("seq(map("):
        numbered = all(label.lstrip("-").isdigit() for label in inside)
        found = tuple(sorted(inside, key=int)) if numbered else tuple(sorted(inside))
    if found:
        findings.decide(f"labels {_few(found)}", where)
    elif count is None:
        findings.ask("--labels FILE", "one label on a line; the model does not say how many")
    else:
        count = max(count, 2)
        found = tuple(map(str, range(count)))
        findings.decide(f'labels "0" to "{count - 1}"', "no --labels were given")
    return "\n".join(found) + "\n"


def _class_labels(file: OnnxFile) -> tuple[str, ...]:
    return next((each.labels for each in file.operators if each.labels), ())


def _scores(file: OnnxFile, node: Node, findings: Findings) -> str:
    """Follow the output back to what made it."""
    maker = file.maker(node.name)
    while maker is not None and maker.name in _THROUGH and maker.inputs:
        maker = file.maker(maker.inputs[0])
    name = maker.name if maker else "nothing"
    transformed = maker is not None and maker.transform not in ("", "NONE")
    scores = "probabilities" if name in _PROBABILITIES or transformed else "logits"
    findings.decide(f"--scores {scores}", f"{node.name} comes from {name}")
    return scores


def _is_number(node: Node) -> bool:
    return node.kind in _FLOATS and (node.shape[-1:] == (1,) or len(node.shape) == 1)


def _is_row(node: Node) -> bool:
    return node.kind in _FLOATS and len(node.shape) in (0, 1, 2)


def _named(nodes: tuple[Node, ...] | list[Node], name: str) -> Node:
    for node in nodes:
        if name in ("", node.name):
            return node
    raise CommandError(
        f"there is no output {name!r}; the model has {_names(nodes)}", ExitCode.USAGE
    )


def _names(nodes: tuple[Node, ...] | list[Node]) -> str:
    return ", ".join(node.name for node in nodes)


def _shape(node: Node) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in node.shape)})"


def _few(labels: tuple[str, ...]) -> str:
    shown = ", ".join(labels[:4])
    return shown if len(labels) <= 4 else f"{shown} ... ({len(labels)})"  # noqa: PLR2004 - see above
