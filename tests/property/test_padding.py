"""Padding: undoes itself, hides most of the length, costs little, and takes no noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.wire.errors import EnvelopeError
from broker.wire.padding import HEADER_ROOM_BYTES, MIN_BUCKET_BYTES, pad, padded_bytes, unpad

MESSAGES = st.one_of(
    st.binary(max_size=3000),
    st.integers(0, 3000).map(bytes),  # nothing but zeros, which look like filling
    st.binary(max_size=50).map(lambda end: end + b"\x80" + bytes(9)),  # ends like filling
)


@given(MESSAGES)
def test_unpad_undoes_pad(message: bytes) -> None:
    assert unpad(pad(message)) == message


@given(st.binary(max_size=3000))
def test_noise_is_refused_or_is_something_that_pad_makes(noise: bytes) -> None:
    try:
        message = unpad(noise)
    except EnvelopeError:
        return

    assert pad(message) == noise


@given(MESSAGES, st.integers(min_value=1, max_value=100))
def test_a_bucket_of_another_size_is_refused(message: bytes, more: int) -> None:
    with pytest.raises(EnvelopeError):
        unpad(pad(message) + bytes(more))


@given(st.integers(1, 128 * 1024))
def test_a_bucket_is_never_smaller_and_costs_at_most_an_eighth(length: int) -> None:
    bucket = padded_bytes(length)

    assert bucket >= max(length, MIN_BUCKET_BYTES)
    assert bucket <= max(length * 1.125 + 1, MIN_BUCKET_BYTES + HEADER_ROOM_BYTES)


@given(st.integers(1, 128 * 1024))
def test_a_longer_message_never_has_a_smaller_bucket(length: int) -> None:
    assert padded_bytes(length) <= padded_bytes(length + 1)


def test_few_sizes_are_seen_of_many() -> None:
    sizes = {padded_bytes(length) for length in range(1, 64 * 1024)}

    assert len(sizes) <= 150


def test_a_round_size_and_our_header_stay_in_one_bucket() -> None:
    assert padded_bytes(1024 + HEADER_ROOM_BYTES) == 1024 + HEADER_ROOM_BYTES
