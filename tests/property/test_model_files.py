"""Damaged model files raise only our error, wherever they are damaged."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.package.errors import EngineError
from firstline.packing.gguf_file import read_gguf
from firstline.packing.onnx_file import read_onnx
from tests.unit.package.gguf_files import write_model
from tests.unit.package.strangers import BROUGHT


def gguf_start() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder) / "model.gguf")
        return (Path(folder) / "model.gguf").read_bytes()


GGUF = gguf_start()
ONNX = [path.read_bytes() for path in sorted(BROUGHT.glob("*.onnx"))]


@given(content=st.sampled_from(ONNX), at=st.integers(0, 4000), flip=st.integers(1, 255))
def test_a_flipped_byte_of_an_onnx_file_is_read_or_refused(
    content: bytes, at: int, flip: int
) -> None:
    look(read_onnx, content, at % len(content), flip)


@given(at=st.integers(0, 12_000), flip=st.integers(1, 255))
def test_a_flipped_byte_of_a_gguf_header_is_read_or_refused(at: int, flip: int) -> None:
    look(read_gguf, GGUF, at % len(GGUF), flip)


@given(noise=st.binary(max_size=300))
def test_noise_is_read_or_refused(noise: bytes) -> None:
    look(read_onnx, noise + b"\0", 0, 0)
    look(read_gguf, b"GGUF\3\0\0\0" + noise, 0, 0)


@pytest.mark.parametrize("content", ONNX)
def test_an_onnx_file_cut_anywhere_is_read_or_refused(content: bytes) -> None:
    for length in range(1, len(content), 7):
        look(read_onnx, content[:length], 0, 0)


def look(read: Callable[[Path], object], content: bytes, at: int, flip: int) -> None:
    damaged = bytearray(content)
    damaged[at] ^= flip
    with tempfile.NamedTemporaryFile() as file:
        file.write(damaged)
        file.flush()
        try:
            read(Path(file.name))
        except EngineError:
            return
