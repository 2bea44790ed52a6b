"""Takes the weights out of an ONNX file and lays them beside it, as external data.

    model.onnx (all in one) --> model.onnx (the graph), model.data (the weights)

onnxruntime reads such weights from the file, page by page, instead of copying the whole file
first: half the memory while a model loads (agent/models/README.md). The graph stays as it was.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from firstline.packing import protobuf as pb

DATA_FILE: Final = "model.data"
_WORTH_BYTES: Final = 1_000_000  # of all weights; below, a second file is only a nuisance
_LARGE_BYTES: Final = 1024  # of one tensor
_PAGE_BYTES: Final = 4096  # each tensor begins on a page, so that it can be mapped
_GRAPH, _INITIALIZER, _RAW = 7, 5, 9  # of ModelProto, GraphProto, TensorProto


def split_weights(model: Path) -> None:
    """Split a file in place, if it holds enough weights.

    Raises:
        EngineError: it is no ONNX file.
        OSError: it cannot be written.
    """
    with model.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    beside = model.with_name(DATA_FILE)
    if beside.exists() or sum(map(_weight_bytes, _tensors(view))) < _WORTH_BYTES:
        return
    with beside.open("wb") as data:
        graph = b"".join(_without(view, _GRAPH, lambda each: _graph(each, data)))
    lean = model.with_name(f".{model.name}")
    lean.write_bytes(graph)
    lean.replace(model)


def _graph(graph: memoryview, data: BinaryIO) -> bytes:
    return b"".join(_without(graph, _INITIALIZER, lambda each: _tensor(each, data)))


def _tensor(tensor: memoryview, data: BinaryIO) -> bytes:
    if _weight_bytes(tensor) < _LARGE_BYTES:
        return bytes(tensor)
    raw = next(pb.messages(tensor, _RAW))
    data.write(bytes(-data.tell() % _PAGE_BYTES))
    place = {"location": DATA_FILE, "offset": str(data.tell()), "length": str(len(raw))}
    data.write(raw)
    kept = b"".join(
        pb.field(number, value) for number, value in pb.fields(tensor) if number != _RAW
    )
    entries = (pb.field(1, name.encode()) + pb.field(2, at.encode()) for name, at in place.items())
    return kept + b"".join(pb.field(13, entry) for entry in entries) + pb.field(14, 1)


def _without(message: memoryview, number: int, change: "pb.Change") -> Iterator[bytes]:
    """Every field as it was, but those of a number changed."""
    for found, value in pb.fields(message):
        changed = change(value) if found == number and isinstance(value, memoryview) else value
        yield pb.field(found, changed)


def _tensors(model: memoryview) -> Iterator[memoryview]:
    for graph in pb.messages(model, _GRAPH):
        yield from pb.messages(graph, _INITIALIZER)


def _weight_bytes(tensor: memoryview) -> int:
    return sum(len(raw) for raw in pb.messages(tensor, _RAW))
