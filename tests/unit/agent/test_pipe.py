"""Frames between the agent and its engine child."""

import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.pipe import Header, read_frame, write_frame

HEADERS = st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none())


@given(HEADERS, st.binary(max_size=200))
def test_a_frame_comes_back_as_it_was(header: Header, content: bytes) -> None:
    stream = io.BytesIO()
    write_frame(stream, header, content)
    stream.seek(0)

    assert read_frame(stream) == (header, content)


@given(st.binary(max_size=60))
def test_noise_raises_only_what_the_engine_expects(noise: bytes) -> None:
    stream = io.BytesIO(noise)

    with contextlib.suppress(EOFError, ValueError):
        header, content = read_frame(stream)
        assert isinstance(header, dict)
        assert noise[: stream.tell()].endswith(content)


NO_FRAMES = {
    "nothing": (b"", EOFError),
    "half a prefix": (b"\0\0\0", EOFError),
    "half a body": (struct.pack(">II", 2, 5) + b"{}", EOFError),
    "a header too long": (struct.pack(">II", 1 << 30, 0), ValueError),
    "a content too long": (struct.pack(">II", 2, 1 << 30) + b"{}", ValueError),
    "a header that is no object": (struct.pack(">II", 2, 0) + b"[]", ValueError),
    "a header that is no JSON": (struct.pack(">II", 2, 0) + b"{!", ValueError),
}


@pytest.mark.parametrize(("data", "error"), NO_FRAMES.values(), ids=NO_FRAMES)
def test_what_is_no_frame_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_frame(io.BytesIO(data))
