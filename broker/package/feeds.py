"""A payload to the tensors that a model takes, whatever it calls them and however it wants them.

    text     -> ids, mask, types (1, tokens), or the text itself
    record   -> one row (1, N + S), or one (1, 1) for each field
    window   -> samples (1, T, C) or (1, C, T), in one row (1, T * C), or features (1, C * F)

Types and sizes are the model's own: read from the loaded file once, checked against [input].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.package.errors import InputMismatchError, ManifestError
from broker.package.inputs import Input, PromptInput, RecordInput, TextInput, WindowInput
from broker.package.nodes import Node
from broker.package.records import record_columns, record_numbers
from broker.package.text_feeds import text_preparation
from broker.package.windows import feature, window_numbers
from broker.wire.payload import Payload, Record, Window

Tensor = NDArray[Any]
KINDS: Final[dict[str, type[np.generic]]] = {
    "tensor(bool)": np.bool_,
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(int8)": np.int8,
    "tensor(string)": np.object_,
    "tensor(uint8)": np.uint8,
}
_STRING: Final = "tensor(string)"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A payload as the model's input tensors."""

    feeds: dict[str, Tensor]
    truncated: bool


def preparation(
    wanted: Input, folder: Path, nodes: Sequence[Node]
) -> Callable[[Payload], Prepared]:
    """How payloads become the inputs of a loaded model.

    Raises:
        ManifestError: [input] does not describe this model.
    """
    for node in nodes:
        if node.kind not in KINDS:
            raise ManifestError(f"input {node.name!r} is a {node.kind}; no payload becomes one")
    match wanted:
        case TextInput():
            prepare = text_preparation(wanted, folder, nodes)
            return lambda payload: _of_text(prepare(payload), nodes)
        case WindowInput():
            return _window_preparation(wanted, nodes)
        case RecordInput():
            return _record_preparation(wanted, nodes)
        case PromptInput():
            raise ManifestError("an ONNX model takes no prompt")


def _window_preparation(
    wanted: WindowInput, nodes: Sequence[Node]
) -> Callable[[Payload], Prepared]:
    node = _only(nodes, "a window")
    for name in wanted.features:
        feature(name)  # an unknown one is found now, not at the first question
    channels = len(wanted.channels)
    if wanted.features:
        sizes = [channels * len(wanted.features)]
    elif wanted.layout == "time_first":
        sizes = [wanted.length, channels]
    else:
        sizes = [channels, wanted.length]
    shape = _window_shape(node, sizes)

    def prepare(payload: Payload) -> Prepared:
        if not isinstance(payload, Window):
            raise InputMismatchError("the model takes a window")
        numbers = window_numbers(payload, wanted)
        if not wanted.features and wanted.layout == "channels_first":
            numbers = numbers.transpose(0, 2, 1)
        return Prepared({node.name: _as(numbers.reshape(shape), node)}, truncated=False)

    return prepare


def _window_shape(node: Node, sizes: list[int]) -> tuple[int, ...]:
    """The shape of one prepared window, with as many axes as the model has.

    Raises:
        ManifestError: the model takes another number of samples or channels.
    """
    shape: tuple[int, ...]
    match len(node.shape):
        case 2:
            shape = (1, int(np.prod(sizes)))
        case 4:
            shape = (1, 1, *sizes)
        case _:
            shape = (1, *sizes)
    _fits(node, shape)
    return shape


def _record_preparation(
    wanted: RecordInput, nodes: Sequence[Node]
) -> Callable[[Payload], Prepared]:
    strings = {name for name, _ in wanted.strings}
    if len(nodes) == 1 and nodes[0].kind != _STRING:
        node = nodes[0]
        if free := [name for name, known in wanted.strings if not known]:
            raise ManifestError(f"{free[0]!r} has no categories, and the model takes numbers")
        _fits(node, (1, len(wanted.numbers) + len(strings)))
        return lambda payload: _row(_record(payload), wanted, node)
    by_name = {node.name: node for node in nodes}
    _same_names({*wanted.numbers, *strings}, set(by_name))
    for node in nodes:
        if node.kind == _STRING and node.name not in strings:
            raise ManifestError(f"the model takes a string as {node.name!r}; [input] has a number")
        _fits(node, (1, 1))
    return lambda payload: _columns(_record(payload), wanted, by_name)


def _row(record: Record, wanted: RecordInput, node: Node) -> Prepared:
    return Prepared({node.name: _as(record_numbers(record, wanted), node)}, truncated=False)


def _columns(record: Record, wanted: RecordInput, by_name: dict[str, Node]) -> Prepared:
    texts = {name for name, node in by_name.items() if node.kind == _STRING}
    found = record_columns(record, wanted, texts)
    feeds = {name: _as(np.array([[value]]), by_name[name]) for name, value in found.items()}
    return Prepared(feeds, truncated=False)


def _of_text(found: tuple[dict[str, Tensor], bool], nodes: Sequence[Node]) -> Prepared:
    feeds, truncated = found
    return Prepared({node.name: _as(feeds[node.name], node) for node in nodes}, truncated)


def _as(tensor: Tensor, node: Node) -> Tensor:
    """In the model's own type, repeated to its own batch."""
    kind = KINDS[node.kind]
    loses = issubclass(kind, np.integer) and issubclass(tensor.dtype.type, np.floating)
    if loses and (tensor != np.trunc(tensor)).any():
        raise InputMismatchError(f"the model takes whole numbers as {node.name!r}")
    rows = (node.shape[0] if node.shape else None) or 1
    return np.repeat(tensor.astype(kind), rows, axis=0)


def _fits(node: Node, shape: tuple[int, ...]) -> None:
    """Compare a prepared shape with the model's; the first axis is the batch."""
    if not node.shape:
        return  # the model does not say
    pairs = zip(node.shape[1:], shape[1:], strict=False)
    if len(node.shape) != len(shape) or any(size not in (None, mine) for size, mine in pairs):
        told = ", ".join("any" if size is None else str(size) for size in node.shape)
        raise ManifestError(
            f"[input] makes ({', '.join(map(str, shape))}), but {node.name!r} of the model takes "
            f"({told}); does [input] describe this model?"
        )


def _same_names(fields: set[str], inputs: set[str]) -> None:
    if fields != inputs:
        raise ManifestError(
            f"the model has the inputs {', '.join(sorted(inputs))}; [input] names the fields "
            f"{', '.join(sorted(fields))}: they must be the same"
        )


def _only(nodes: Sequence[Node], what: str) -> Node:
    if len(nodes) != 1:
        names = ", ".join(node.name for node in nodes)
        raise ManifestError(f"the model has {len(nodes)} inputs ({names}); for {what} it has one")
    return nodes[0]


def _record(payload: Payload) -> Record:
    if not isinstance(payload, Record):
        raise InputMismatchError("the model takes a record")
    return payload
