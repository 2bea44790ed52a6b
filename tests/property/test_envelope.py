"""The envelope: opening undoes sealing, and any flipped bit, cut or noise is refused."""

from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from broker.wire.envelope import (
    MAX_WIRE_BYTES,
    Header,
    ReplyKey,
    open_question,
    open_reply,
    parse,
    seal_question,
    seal_reply,
    verify,
)
from broker.wire.errors import EnvelopeError
from broker.wire.keys import (
    Suite,
    signing_key_name,
)
from tests.unit.wire.scene import ROUTE, pool_pair

DEVICE = Ed25519PrivateKey.generate()
FIRST = UUID(int=1)
SECONDS = st.integers(0, 2**32 - 1)
SUITES = st.sampled_from(Suite)


PAIRS = {suite: pool_pair(suite) for suite in Suite}
OURS = {private.name: private for private, _ in PAIRS.values()}


def header(suite: Suite, *, ticket: UUID = FIRST, created_s: int = 1, expires_s: int = 2) -> Header:
    name = signing_key_name(DEVICE.public_key())
    return Header(suite, PAIRS[suite][1].name, name, ticket, created_s, expires_s)


def seal(body: bytes, head: Header) -> tuple[bytes, ReplyKey]:
    public = PAIRS[head.suite][1]
    return seal_question(body, route=ROUTE, pool_key=public, device_key=DEVICE, header=head)


WIRES = {suite: seal(b"the question", header(suite)) for suite in Suite}


@given(SUITES, st.binary(max_size=4000), st.uuids(), SECONDS, SECONDS)
def test_opening_undoes_sealing(
    suite: Suite, body: bytes, ticket: UUID, created_s: int, expires_s: int
) -> None:
    head = header(suite, ticket=ticket, created_s=created_s, expires_s=expires_s)
    wire, key = seal(body, head)

    verified = verify(parse(wire), ROUTE, DEVICE.public_key())

    assert verified.header == head
    assert open_question(verified, OURS) == (body, key)


@given(st.binary(max_size=4000), st.binary(min_size=32, max_size=32))
def test_opening_undoes_sealing_of_a_reply(body: bytes, secret: bytes) -> None:
    key = ReplyKey(secret, secret[::-1])

    assert open_reply(seal_reply(body, key), key) == body


@given(SUITES, st.data())
def test_any_flipped_bit_of_a_question_is_refused(suite: Suite, data: st.DataObject) -> None:
    wire, _ = WIRES[suite]
    at = data.draw(st.integers(0, 8 * len(wire) - 1))
    altered = bytearray(wire)
    altered[at // 8] ^= 1 << at % 8

    with pytest.raises(EnvelopeError):
        open_question(verify(parse(bytes(altered)), ROUTE, DEVICE.public_key()), OURS)


@given(SUITES, st.data())
def test_any_flipped_bit_of_a_reply_is_refused(suite: Suite, data: st.DataObject) -> None:
    key = WIRES[suite][1]
    altered = bytearray(seal_reply(b"the answer", key))
    at = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[at // 8] ^= 1 << at % 8

    with pytest.raises(EnvelopeError):
        open_reply(bytes(altered), key)


@given(SUITES, st.data())
def test_a_signed_question_whose_ciphertext_is_altered_does_not_open(
    suite: Suite, data: st.DataObject
) -> None:
    """Even a device that signs altered bytes itself gets nothing opened."""
    verified = verify(parse(WIRES[suite][0]), ROUTE, DEVICE.public_key())
    altered = bytearray(verified.ciphertext)
    at = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[at // 8] ^= 1 << at % 8

    with pytest.raises(EnvelopeError):
        open_question(replace(verified, ciphertext=bytes(altered)), OURS)


@given(st.binary(max_size=400), st.sampled_from([b"", b"\x01\x01", b"\x01\x02"]))
def test_noise_is_refused(noise: bytes, start: bytes) -> None:
    with pytest.raises(EnvelopeError):
        open_question(verify(parse(start + noise), ROUTE, DEVICE.public_key()), OURS)
    with pytest.raises(EnvelopeError):
        open_reply(start + noise, WIRES[Suite.XWING][1])


@given(SUITES, st.integers(0, 3000), st.integers(0, 3000))
def test_two_texts_of_one_bucket_have_one_length(suite: Suite, one: int, other: int) -> None:
    first, second = seal(bytes(one), header(suite))[0], seal(bytes(other), header(suite))[0]

    assert len(first) <= MAX_WIRE_BYTES
    assert (one <= other) == (len(first) <= len(second)) or len(first) == len(second)
