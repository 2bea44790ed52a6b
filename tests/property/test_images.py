"""Damaged images: refused with our error, or cleaned; never anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import ImageError
from agent.core.image import strip
from tests.unit.core.pictures import KINDS, SECRET, animation, full

WHOLE = [*map(full, KINDS), *map(animation, ("GIF", "PNG", "WEBP"))]


@given(st.sampled_from(WHOLE), st.data())
def test_damage_raises_our_error_only(whole: bytes, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4))
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))] if not places else whole)
    for place in places:
        damaged[place] = data.draw(st.integers(0, 255))

    try:
        stripped = strip(bytes(damaged))
    except ImageError:
        return

    assert strip(stripped.data).data == stripped.data


@pytest.mark.parametrize("whole", WHOLE)
def test_an_image_cut_anywhere_is_refused_until_its_picture_is_whole(whole: bytes) -> None:
    end = len(whole) - (len(SECRET) if whole.endswith(SECRET) else 0)
    for length in range(0, end, 7):
        with pytest.raises(ImageError):
            strip(whole[:length])


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"GIF89a"]),
    st.binary(),
)
def test_noise_behind_a_mark_raises_our_error_only(mark: bytes, noise: bytes) -> None:
    with pytest.raises(ImageError):
        strip(mark + noise)
