"""Protocol Buffers, as far as reading somebody's ONNX file needs: fields of a message, lazily.

Weights are passed over, not copied, so that a file of gigabytes is looked at in a moment; the
`onnx` package reads them all, and weighs more than the agent. https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Callable, Iterator

from broker.package.errors import EngineError

Value = int | memoryview  # a varint, or the bytes of anything else
Change = Callable[[memoryview], bytes]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_MOST_VARINT_BITS = 64


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Each field of a message: its number and its value.

    Raises:
        EngineError: it is no message, or cut short.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire_type = key >> 3, key & 7
        value: Value
        if wire_type == _VARINT:
            value, at = _varint(message, at)
        elif wire_type in (_BYTES, _FIXED64, _FIXED32):
            size = {_FIXED64: 8, _FIXED32: 4}.get(wire_type, 0)
            if wire_type == _BYTES:
                size, at = _varint(message, at)
            if at + size > len(message):
                raise EngineError("it is cut short, or no ONNX file")
            value, at = message[at : at + size], at + size
        else:
            raise EngineError("it is cut short, or no ONNX file")
        yield number, value


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Every value of a repeated field of bytes or messages."""
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def text(message: memoryview, number: int) -> str:
    """A string field, or the empty string."""
    found = [bytes(value) for value in messages(message, number)]
    return found[-1].decode("utf-8", "replace") if found else ""


def integer(message: memoryview, number: int) -> int:
    """A number field, or 0."""
    return next((v for n, v in fields(message) if n == number and isinstance(v, int)), 0)


def integers(message: memoryview, number: int) -> list[int]:
    """A repeated number field, packed or not."""
    found: list[int] = []
    for place, value in fields(message):
        if place != number:
            continue
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            one, at = _varint(value, at)
            found.append(one)
    return found


def field(number: int, value: int | bytes | memoryview) -> bytes:
    """A field as it is written: a number as a varint, bytes or a message with their length."""
    if isinstance(value, int):
        return _written(number << 3 | _VARINT) + _written(value)
    return _written(number << 3 | _BYTES) + _written(len(value)) + bytes(value)


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits in each byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < _MOST_VARINT_BITS:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
    raise EngineError("it is cut short, or no ONNX file")
