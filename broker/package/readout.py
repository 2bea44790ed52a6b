"""What a model gave to what it says: chances of labels, or a number and how sure it is.

logits | probabilities (1, L) | [{label: probability}] -> chances (L,)
number (1, 1), deviation (1, 1)                        -> "21.5", P(|error| <= tolerance)
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.package.errors import EngineError, ManifestError
from broker.package.heads import Head, LabelHead, NumberHead
from broker.package.nodes import Node
from broker.package.session import Output

Chances = NDArray[np.float32]  # (L,), in [0, 1]

_SCORES = ("tensor(float)", "tensor(double)", "tensor(float16)")
_MAPS = ("seq(map(string,tensor(float)))", "seq(map(int64,tensor(float)))")


def output_names(head: Head, outputs: Sequence[Node]) -> tuple[str, ...]:
    """The model's outputs that a head reads.

    Raises:
        ManifestError: there is no such output, or it does not fit.
    """
    match head:
        case LabelHead():
            node = _node(head, head.output, outputs)
            _check_labels(head, node)
            return (node.name,)
        case NumberHead():
            names = (head.output, head.deviation) if head.deviation else (head.output,)
            nodes = [_node(head, name, outputs) for name in names]
            for node in nodes:
                _check_number(head, node)
            return tuple(node.name for node in nodes)
        case _:
            raise ManifestError(f"an ONNX model does not answer {head.domain} with text")


def chances(found: Output, head: LabelHead) -> Chances:
    """The probability of each label, in the order of the head's.

    Raises:
        EngineError: there are more or fewer numbers than labels, or one is not finite.
    """
    scores = _scores(found, len(head.labels))
    binary = len(head.labels) == 2 and scores.size == 1  # noqa: PLR2004 - of the second label
    if not (binary or scores.size == len(head.labels)) or not np.isfinite(scores).all():
        raise EngineError(
            f"the output for {head.domain} gave {scores.size} numbers; "
            f"{len(head.labels)} finite ones were expected, one for each label"
        )
    if binary:
        second = scores[0] if head.scores == "probabilities" else _sigmoid(float(scores[0]))
        return np.array([1 - second, second], dtype=np.float32)
    return scores if head.scores == "probabilities" else _softmax(scores)


def number(found: Sequence[Output], head: NumberHead) -> tuple[str, float]:
    """The number in plain decimal form, and the chance that it is within the tolerance.

    It is told to about a hundredth of the tolerance: what is finer is noise of the arithmetic.
    Without a deviation nobody knows, so the score is always 1 and the calibration alone decides.

    Raises:
        EngineError: it is not one finite number, or its deviation is none.
    """
    value, *deviation = (_one(each, head) for each in found)
    decimals = max(0, 2 - math.floor(math.log10(head.tolerance)))
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if decimals else text
    text = "0" if text == "-0" else text
    if not deviation:
        return text, 1.0
    sigma = deviation[0]
    if sigma < 0:
        raise EngineError(f"the deviation for {head.domain} is {sigma:g}; it cannot be below 0")
    # |error| of a normal distribution: half-normal, P(|e| <= t) = erf(t / (sigma * sqrt 2)).
    return text, math.erf(head.tolerance / (sigma * math.sqrt(2))) if sigma else 1.0


def _scores(found: Output, count: int) -> Chances:
    if isinstance(found, np.ndarray):
        whole = found.astype(np.float32)
        first = whole if whole.size == count or whole.ndim < 2 else whole[0]  # noqa: PLR2004 - (batch, labels)
        return first.reshape(-1)
    # ZipMap of skl2onnx: one mapping for each row, in the order of its keys.
    row: Mapping[Any, float] = found[0]
    return np.array([row[key] for key in sorted(row)], dtype=np.float32)


def _one(found: Output, head: NumberHead) -> float:
    numbers = np.asarray(found)
    if numbers.ndim > 0 and numbers.shape[0] > 1:
        numbers = numbers[0]  # a model of a fixed batch
    if numbers.size != 1 or not np.isfinite(numbers).all():
        raise EngineError(
            f"the output for {head.domain} gave {numbers.size} numbers; one finite number "
            "was expected"
        )
    return float(numbers.reshape(-1)[0])


def _node(head: Head, name: str, outputs: Sequence[Node]) -> Node:
    by_name = {node.name: node for node in outputs}
    wanted = name or (outputs[0].name if len(outputs) == 1 else "")
    if wanted not in by_name:
        raise ManifestError(
            f"head {head.domain} needs an output {name or '(none named)'!r}; "
            f"the model has {', '.join(by_name)}"
        )
    return by_name[wanted]


def _check_labels(head: LabelHead, node: Node) -> None:
    if node.kind not in (*_SCORES, *_MAPS):
        raise ManifestError(
            f"output {node.name!r} is a {node.kind}: labels without scores; name the output "
            "with the probabilities"
        )
    count = node.shape[-1] if node.shape else None
    few = {len(head.labels), 1} if len(head.labels) == 2 else {len(head.labels)}  # noqa: PLR2004 - see above
    if count is not None and len(node.shape) > 1 and count not in few:
        raise ManifestError(
            f"output {node.name!r} of the model has {count} values, but the head "
            f"{head.domain} has {len(head.labels)} labels"
        )


def _check_number(head: NumberHead, node: Node) -> None:
    count = node.shape[-1] if len(node.shape) > 1 else None
    if node.kind not in _SCORES or count not in (None, 1):
        raise ManifestError(
            f"output {node.name!r} of the model is a {node.kind} with {count or 'any'} values; "
            f"the head {head.domain} needs one number"
        )


def _softmax(logits: Chances) -> Chances:
    powers = np.exp(logits.astype(np.float64) - logits.max())
    found: Chances = (powers / powers.sum()).astype(np.float32)
    return found


def _sigmoid(logit: float) -> float:
    # Without exp() of a large number, which overflows.
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))
