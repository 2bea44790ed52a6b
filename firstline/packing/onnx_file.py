"""What an ONNX file says of itself, without running it: inputs, outputs, operators, weights.

Field numbers: onnx.proto3 of ONNX 1.17.
"""

import mmap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

from broker.package.errors import EngineError
from broker.package.foreign import LONGEST_MAGIC, foreign
from broker.package.nodes import Node
from firstline.packing import protobuf as pb

_GRAPH, _OPSET, _FUNCTION = 7, 8, 25  # of ModelProto
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12  # of GraphProto
_TYPES: Final[Mapping[int, tuple[str, int]]] = {  # TensorProto.DataType: name, bits
    1: ("float", 32),
    2: ("uint8", 8),
    3: ("int8", 8),
    4: ("uint16", 16),
    5: ("int16", 16),
    6: ("int32", 32),
    7: ("int64", 64),
    8: ("string", 0),
    9: ("bool", 8),
    10: ("float16", 16),
    11: ("double", 64),
    16: ("bfloat16", 16),
    21: ("uint4", 4),
    22: ("int4", 4),
}
_KNOWN_OPERATORS: Final = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc")


@dataclass(frozen=True, slots=True)
class Operator:
    """A node of the graph."""

    name: str  # such as Softmax
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    labels: tuple[str, ...]  # of a classifier of ai.onnx.ml
    transform: str  # of its scores: NONE, LOGISTIC, SOFTMAX ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxFile:
    """A graph, as far as packing it needs."""

    path: Path
    producer: str
    opset: int
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    operators: tuple[Operator, ...]
    weights: Mapping[str, int]  # bytes by type
    beside: tuple[str, ...]  # files with external data

    @property
    def weight_bytes(self) -> int:
        """All weights together."""
        return sum(self.weights.values())

    def maker(self, output: str) -> Operator | None:
        """The operator that computes an output."""
        return next((each for each in self.operators if output in each.outputs), None)


def read_onnx(path: Path) -> OnnxFile:
    """Look into an ONNX file.

    Raises:
        EngineError: it is something else, cut short, or lacks a file; or no onnxruntime runs it.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        what = foreign(file.read(LONGEST_MAGIC))
        if what:
            raise EngineError(f"{path} is {what}")
        if path.stat().st_size == 0:
            raise EngineError(f"{path} is empty")
        # Unmapped when the last slice of it goes, on the way of an error too.
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        found = _model(path, view)
    except EngineError as error:
        raise EngineError(f"{path} cannot be read as an ONNX file: {error}") from error
    _check(found)
    return found


def _model(path: Path, model: memoryview) -> OnnxFile:
    graphs = list(pb.messages(model, _GRAPH))
    if not graphs:
        raise EngineError("there is no graph in it")
    graph = graphs[-1]
    opsets = {pb.text(each, 1): pb.integer(each, 2) for each in pb.messages(model, _OPSET)}
    functions = {pb.text(each, 10) for each in pb.messages(model, _FUNCTION)}
    tensors = [*pb.messages(graph, _INITIALIZER), *_constants(graph)]
    weights: Counter[str] = Counter()
    for tensor in tensors:
        kind, bits = _TYPES.get(pb.integer(tensor, 2), ("other", 8))
        weights[kind] += prod(pb.integers(tensor, 1)) * bits // 8
    fixed = {pb.text(each, 8) for each in pb.messages(graph, _INITIALIZER)}
    nodes = (_operator(each) for each in pb.messages(graph, _NODE))
    return OnnxFile(
        path=path,
        producer=f"{pb.text(model, 2)} {pb.text(model, 3)}".strip() or "unknown",
        opset=opsets.get("", opsets.get("ai.onnx", 0)),
        # Old exporters list weights among the inputs.
        inputs=tuple(n for n in map(_node, pb.messages(graph, _INPUT)) if n.name not in fixed),
        outputs=tuple(map(_node, pb.messages(graph, _OUTPUT))),
        operators=tuple(each for each in nodes if each.domain not in functions or not each.domain),
        weights=dict(weights.most_common()),
        beside=tuple(sorted({place for tensor in tensors for place in _places(tensor)})),
    )


def _operator(node: memoryview) -> Operator:
    labels: tuple[str, ...] = ()
    transform = ""
    for attribute in pb.messages(node, 5):
        match pb.text(attribute, 1):
            case "classlabels_strings":
                labels = tuple(
                    bytes(s).decode("utf-8", "replace") for s in pb.messages(attribute, 9)
                )
            case "classlabels_ints" | "classlabels_int64s":
                labels = labels or tuple(map(str, pb.integers(attribute, 8)))
            case "post_transform":
                transform = pb.text(attribute, 4)
            case _:
                pass
    return Operator(
        name=pb.text(node, 4),
        domain=pb.text(node, 7),
        inputs=tuple(bytes(each).decode("utf-8", "replace") for each in pb.messages(node, 1)),
        outputs=tuple(bytes(each).decode("utf-8", "replace") for each in pb.messages(node, 2)),
        labels=labels,
        transform=transform,
    )


def _constants(graph: memoryview) -> Iterator[memoryview]:
    for node in pb.messages(graph, _NODE):
        if pb.text(node, 4) == "Constant":
            for attribute in pb.messages(node, 5):
                yield from pb.messages(attribute, 5)


def _places(tensor: memoryview) -> Iterator[str]:
    for entry in pb.messages(tensor, 13):
        if pb.text(entry, 1) == "location":
            yield pb.text(entry, 2)


def _node(value: memoryview) -> Node:
    kinds = list(pb.messages(value, 2))
    kind, shape = _kind(kinds[0]) if kinds else ("", ())
    return Node(pb.text(value, 1), kind, shape)


def _kind(of: memoryview) -> tuple[str, tuple[int | None, ...]]:
    """A TypeProto in onnxruntime's words."""
    for number, value in pb.fields(of):
        if isinstance(value, int):
            continue
        if number == 1:  # a tensor
            name = _TYPES.get(pb.integer(value, 1), ("unknown", 0))[0]
            dims = [dim for shape in pb.messages(value, 2) for dim in pb.messages(shape, 1)]
            return f"tensor({name})", tuple(pb.integer(dim, 1) or None for dim in dims)
        if number == 4:  # noqa: PLR2004 - a sequence
            return f"seq({next((_kind(v)[0] for v in pb.messages(value, 1)), '')})", ()
        if number == 5:  # noqa: PLR2004 - a map
            key = _TYPES.get(pb.integer(value, 1), ("unknown", 0))[0]
            return f"map({key},{next((_kind(v)[0] for v in pb.messages(value, 2)), '')})", ()
    return "unknown", ()


def _check(found: OnnxFile) -> None:
    foreigners = sorted({f"{o.name} of {o.domain}" for o in found.operators if _is_custom(o)})
    if foreigners:
        raise EngineError(
            f"{found.path} needs the operator {', '.join(foreigners)}, which onnxruntime does not "
            "have; export the model without it"
        )
    for name in found.beside:
        if not (found.path.parent / name).is_file():
            raise EngineError(
                f"{found.path} keeps weights in {name}, which is not beside it; copy both files"
            )


def _is_custom(operator: Operator) -> bool:
    return operator.domain not in _KNOWN_OPERATORS
