"""Tiny real ONNX files, written without the onnx package: protobuf is tags, lengths and bytes.

Field numbers: onnx.proto3 of ONNX 1.17, IR version 8, operator set 13.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

FLOAT, INT64, STRING = 1, 7, 8


def write_identity(path: Path, *, numbers: int) -> None:
    """A record classifier that says which of its numbers is largest."""
    node = _field(1, "x") + _field(2, "y") + _field(4, "Identity")
    shape: Sequence[int | str] = (1, numbers)
    _write(path, [node], inputs=_value("x", FLOAT, shape), outputs=_value("y", FLOAT, shape))


def write_first_tokens(path: Path, *, labels: int, tokens: int | str = "tokens") -> None:
    """A text classifier that scores labels by the text's first tokens."""
    starts, ends = _ints("starts", [0]), _ints("ends", [labels])
    axes = _ints("axes", [1])
    cut = b"".join(_field(1, name) for name in ("ids", "starts", "ends", "axes"))
    cut += _field(2, "first") + _field(4, "Slice")
    cast = _field(1, "first") + _field(2, "scores") + _field(4, "Cast")
    cast += _field(5, _field(1, "to") + _number(3, FLOAT) + _number(20, 2))
    _write(
        path,
        [cut, cast],
        inputs=_value("ids", INT64, (1, tokens)),
        outputs=_value("scores", FLOAT, (1, labels)),
        constants=[starts, ends, axes],
    )


def _write(
    path: Path,
    nodes: Sequence[bytes],
    *,
    inputs: bytes,
    outputs: bytes,
    constants: Sequence[bytes] = (),
) -> None:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "graph")
    graph += b"".join(_field(5, constant) for constant in constants)
    graph += _field(11, inputs) + _field(12, outputs)
    operators = _field(1, "") + _number(2, 13)
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, operators))


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sizes = (_number(1, size) if isinstance(size, int) else _field(2, size) for size in shape)
    tensor = _number(1, kind) + _field(2, b"".join(_field(1, size) for size in sizes))
    return _field(1, name) + _field(2, _field(1, tensor))


def _ints(name: str, values: Sequence[int]) -> bytes:
    content = b"".join(value.to_bytes(8, "little") for value in values)
    return _number(1, len(values)) + _number(2, INT64) + _field(8, name) + _field(9, content)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def node(
    operator: str, given: Sequence[str], made: str, *, domain: str = "", **attributes: str | int
) -> bytes:
    """An operator with one output, and attributes that are strings or numbers."""
    inputs = b"".join(_field(1, name) for name in given)
    for name, value in attributes.items():
        is_number = isinstance(value, int)
        content = _number(3, value) if isinstance(value, int) else _field(4, value)
        inputs += _field(5, _field(1, name) + content + _number(20, 2 if is_number else 3))
    return inputs + _field(2, made) + _field(4, operator) + (_field(7, domain) if domain else b"")


def write_nodes(  # noqa: PLR0913 - the parts of a graph
    path: Path,
    nodes: Sequence[bytes],
    *,
    given: tuple[Sequence[int | str], int] = ((1, 3), FLOAT),
    made: Sequence[int | str] = (1, 3),
    gives: int = FLOAT,
    constants: Sequence[bytes] = (),
) -> None:
    """A graph from `x` to `y`."""
    shape, kind = given
    inputs, outputs = _value("x", kind, shape), _value("y", gives, made)
    _write(path, nodes, inputs=inputs, outputs=outputs, constants=constants)


def write_inline(path: Path, *, width: int) -> None:
    """A classifier whose scores are its numbers times a diagonal of 0, 1, 2 ..."""
    rows = (struct.pack(f"<{width}f", *(r * (r == c) for c in range(width))) for r in range(width))
    weights = b"".join(_number(1, width) for _ in range(2)) + _number(2, FLOAT)
    weights += _field(8, "w") + _field(9, b"".join(rows))
    product = node("MatMul", ["x", "w"], "y")
    shape = (1, width)
    write_nodes(path, [product], given=(shape, FLOAT), made=shape, constants=[weights])


def write_product(path: Path, *, width: int) -> None:
    """A classifier whose scores are its numbers times a matrix of ones that lies beside it."""
    beside = path.with_name(path.name + ".data")
    beside.write_bytes(struct.pack("<f", 1.0) * width * width)
    weights = b"".join(_number(1, width) for _ in range(2)) + _beside("w", beside)
    product = node("MatMul", ["x", "w"], "y")
    shape = (1, width)
    write_nodes(path, [product], given=(shape, FLOAT), made=shape, constants=[weights])


def write_scaled(path: Path, *, scale: Sequence[float]) -> Path:
    """A classifier whose scores are its numbers times weights that lie in another file."""
    beside = path.with_name(path.name + ".data")
    beside.write_bytes(struct.pack(f"<{len(scale)}f", *scale))
    weights = _number(1, len(scale)) + _beside("scale", beside)
    shape = (1, len(scale))
    write_nodes(
        path,
        [node("Mul", ["x", "scale"], "y")],
        given=(shape, FLOAT),
        made=shape,
        constants=[weights],
    )
    return beside


def _beside(name: str, path: Path) -> bytes:
    """The end of a tensor of floats whose values lie in another file."""
    entry = _field(1, "location") + _field(2, path.name)
    return _number(2, FLOAT) + _field(8, name) + _field(13, entry) + _number(14, 1)
