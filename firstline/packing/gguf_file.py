"""What a GGUF file says of itself, without an engine: architecture, sizes, template, tokenizer.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. Long lists, such as
the vocabulary, are passed over; only their lengths are kept.
"""

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, Final

from broker.package.errors import EngineError
from broker.package.foreign import LONGEST_MAGIC, foreign

Scalar = str | int | float | bool

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_MOST_BYTES: Final = 64 * 1024 * 1024  # of one string: a chat template is some kilobytes
_MOST_ITEMS: Final = 10_000_000  # of one list: a vocabulary has at most some hundred thousand
_FORMATS: Final[Mapping[int, str]] = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _LIST = 8, 9
_TENSOR_TYPES: Final[Mapping[int, tuple[str, int, int]]] = {  # name, weights and bytes of a block
    0: ("f32", 1, 4),
    1: ("f16", 1, 2),
    2: ("q4_0", 32, 18),
    3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34),
    10: ("q2_k", 256, 84),
    11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144),
    13: ("q5_k", 256, 176),
    14: ("q6_k", 256, 210),
    16: ("iq2_xxs", 256, 66),
    17: ("iq2_xs", 256, 74),
    18: ("iq3_xxs", 256, 98),
    20: ("iq4_nl", 32, 18),
    21: ("iq3_s", 256, 110),
    23: ("iq4_xs", 256, 136),
    30: ("bf16", 1, 2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufFile:
    """A GGUF file's header."""

    path: Path
    values: Mapping[str, Scalar]  # metadata; of a list its length
    weights: Mapping[str, int]  # how many of each type
    file_bytes: int

    @property
    def architecture(self) -> str:
        """Such as llama, qwen2, gemma3."""
        return str(self.values.get("general.architecture", ""))

    @property
    def parameters(self) -> int:
        """How many weights."""
        return sum(self.weights.values())

    @property
    def context_tokens(self) -> int:
        """How many tokens it was trained on at once."""
        return self.number("context_length")

    @property
    def chat_template(self) -> str:
        """Jinja, or nothing."""
        return str(self.values.get("tokenizer.chat_template", ""))

    def number(self, name: str) -> int:
        """A number of the architecture, such as `block_count`; 0 if it does not say."""
        value = self.values.get(f"{self.architecture}.{name}", 0)
        return value if isinstance(value, int) else 0

    def cache_bytes(self, context_tokens: int) -> int:
        """What the keys and values of so many tokens take in float16."""
        heads = self.number("attention.head_count") or 1
        kv_heads = self.number("attention.head_count_kv") or heads
        width = self.number("embedding_length") // heads
        keys = self.number("attention.key_length") or width
        values = self.number("attention.value_length") or width
        return 2 * context_tokens * self.number("block_count") * kv_heads * (keys + values)


def read_gguf(path: Path) -> GgufFile:
    """Read a header.

    Raises:
        EngineError: it is something else, cut short, or of a version that nobody knows.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(LONGEST_MAGIC)
        if not start.startswith(_MAGIC):
            what = foreign(start) or "of a kind that nobody here knows"
            raise EngineError(f"{path} is {what}; llama.cpp takes GGUF files")
        file.seek(len(_MAGIC))
        try:
            return _read(path, file)
        except (struct.error, EOFError, OverflowError) as error:
            raise EngineError(f"{path} is cut short: copy or download it again") from error


def _read(path: Path, file: BinaryIO) -> GgufFile:
    (version,) = _take(file, "<I")
    if version not in _VERSIONS:
        raise EngineError(f"{path} is of GGUF version {version}; known are 2 and 3, little-endian")
    tensors, pairs = _take(file, "<QQ")
    values = {_string(file): _value(file) for _ in range(_counted(pairs))}
    alignment = values.get("general.alignment", 32)
    weights: Counter[str] = Counter()
    end = 0
    for _ in range(_counted(tensors)):
        kind, count, offset = _tensor(file)
        name, block, block_bytes = _TENSOR_TYPES.get(kind, (f"type {kind}", 1, 0))
        weights[name] += count
        end = max(end, offset + count // block * block_bytes)
    step = alignment if isinstance(alignment, int) and alignment > 0 else 32
    start = -(-file.tell() // step) * step
    size = path.stat().st_size
    if start + end > size:
        raise EngineError(
            f"{path} is cut short: {size} of {start + end} bytes; copy or download it again"
        )
    return GgufFile(path=path, values=values, weights=dict(weights.most_common()), file_bytes=size)


def _tensor(file: BinaryIO) -> tuple[int, int, int]:
    """The type, number of weights, and offset of one tensor."""
    _string(file)
    (axes,) = _take(file, "<I")
    sizes = _take(file, f"<{min(axes, 8)}Q")
    kind, offset = _take(file, "<IQ")
    return kind, prod(sizes), offset


def _value(file: BinaryIO) -> Scalar:
    (kind,) = _take(file, "<I")
    if kind == _STRING:
        return _string(file)
    if kind == _LIST:
        return _pass_over(file)
    if kind not in _FORMATS:
        raise EOFError
    (value,) = _take(file, _FORMATS[kind])
    return value


def _pass_over(file: BinaryIO) -> int:
    """Skip a list; how long it is."""
    kind, length = _take(file, "<IQ")
    _counted(length)
    if kind in _FORMATS:
        file.seek(length * struct.calcsize(_FORMATS[kind]), 1)
    elif kind == _STRING:
        for _ in range(length):
            (size,) = _take(file, "<Q")
            file.seek(min(size, _MOST_BYTES), 1)
    else:
        for _ in range(length):
            _pass_over(file)
    return int(length)


def _string(file: BinaryIO) -> str:
    (size,) = _take(file, "<Q")
    if size > _MOST_BYTES:
        raise EOFError
    content = file.read(size)
    if len(content) < size:
        raise EOFError
    return content.decode("utf-8", "replace")


def _counted(count: int) -> int:
    if count > _MOST_ITEMS:
        raise EOFError
    return count


def _take(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
