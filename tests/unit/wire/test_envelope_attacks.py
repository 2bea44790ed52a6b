"""Attacks on a question's envelope. A new bug adds a row first."""

import hashlib
import os
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.wire.envelope import (
    MAX_WIRE_BYTES,
    open_question,
    parse,
    seal_question,
    verify,
)
from broker.wire.errors import EnvelopeError
from broker.wire.keys import (
    Suite,
    signing_key_name,
)
from broker.wire.topics import DeviceId, FleetId, PoolId, Route
from tests.unit.wire.scene import (
    BODY,
    BOTH_SUITES,
    HEADER_BYTES,
    ROUTE,
    SCENES,
    SIGNATURE_BYTES,
    Scene,
    flipped,
    pool_pair,
)

# Where each field of an envelope starts: header, signature, then HPKE's encapsulation and text.
FIELDS = {
    "version": 0,
    "suite": 1,
    "pool key": 2,
    "device key": 10,
    "ticket": 18,
    "created": 34,
    "expires": 38,
    "signature, first half": 42,
    "signature, second half": 105,
    "encapsulation": 106,
    "text": -20,
    "tag": -1,
}


def resigned(scene: Scene, thief: Ed25519PrivateKey, device: str) -> bytes:
    """Strip the signature off and put another enrolled device's own in its place."""
    header = scene.wire[:10] + signing_key_name(thief.public_key()) + scene.wire[18:HEADER_BYTES]
    ciphertext = scene.wire[HEADER_BYTES + SIGNATURE_BYTES :]
    route = replace(ROUTE, device=DeviceId(device))
    info = b"fl/v1 request\0" + framed(route.ask.encode()) + framed(route.answer.encode())
    bound = sha256(framed(info + framed(header)) + framed(ciphertext))
    return header + thief.sign(b"fl/v1 request signature\0" + bound) + ciphertext


def framed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@BOTH_SUITES
def test_what_is_sealed_opens(scene: Scene) -> None:
    body = scene.open(scene.wire)

    assert body == BODY


ROUTES = {
    "to another device's topic": Route(FleetId("home"), PoolId("main"), DeviceId("board-2")),
    "to another pool's topic": Route(FleetId("home"), PoolId("other"), DeviceId("board-1")),
    "to another fleet's topic": Route(FleetId("away"), PoolId("main"), DeviceId("board-1")),
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@BOTH_SUITES
def test_a_question_moved_is_refused(scene: Scene, route: Route) -> None:
    with pytest.raises(EnvelopeError):
        scene.open(scene.wire, route)


@pytest.mark.parametrize("bit", [0, 7])
@pytest.mark.parametrize("at", FIELDS.values(), ids=FIELDS)
@BOTH_SUITES
def test_a_bit_flipped_anywhere_is_refused(scene: Scene, at: int, bit: int) -> None:
    with pytest.raises(EnvelopeError):
        scene.open(flipped(scene.wire, at, bit))


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "header alone": lambda wire: wire[:HEADER_BYTES],
    "no ciphertext": lambda wire: wire[: HEADER_BYTES + SIGNATURE_BYTES],
    "one byte of ciphertext": lambda wire: wire[: HEADER_BYTES + SIGNATURE_BYTES + 1],
    "last byte missing": lambda wire: wire[:-1],
    "first byte missing": lambda wire: wire[1:],
    "one byte more": lambda wire: wire + b"\0",
    "twice": lambda wire: wire + wire,
    "longer than any envelope": lambda wire: wire.ljust(MAX_WIRE_BYTES + 1, b"\0"),
    "random": lambda wire: os.urandom(len(wire)),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@BOTH_SUITES
def test_a_question_of_another_length_is_refused(
    scene: Scene, cut: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(EnvelopeError):
        scene.open(cut(scene.wire))


@BOTH_SUITES
def test_an_envelope_that_is_too_long_is_refused_before_it_is_read(scene: Scene) -> None:
    with pytest.raises(EnvelopeError, match=r"not an envelope$"):
        parse(scene.wire.ljust(MAX_WIRE_BYTES + 1, b"\0"))


def test_the_suites_of_two_pool_keys_cannot_be_swapped() -> None:
    strong, weak = SCENES[Suite.XWING], SCENES[Suite.X25519]
    verified = verify(parse(weak.wire), ROUTE, weak.device.public_key())

    with pytest.raises(EnvelopeError):  # the name of one key, the other key behind it
        open_question(verified, {weak.header.pool_key: strong.pool})


@BOTH_SUITES
def test_another_devices_signature_in_its_place_is_refused(scene: Scene) -> None:
    thief = Ed25519PrivateKey.generate()

    with pytest.raises(EnvelopeError):
        scene.open(resigned(scene, thief, "board-1"))


@BOTH_SUITES
def test_a_question_stolen_and_signed_anew_by_another_enrolled_device_does_not_open(
    scene: Scene,
) -> None:
    thief = Ed25519PrivateKey.generate()
    wire = resigned(scene, thief, "board-2")
    route = replace(ROUTE, device=DeviceId("board-2"))
    verified = verify(parse(wire), route, thief.public_key())  # the signature is the thief's own

    with pytest.raises(EnvelopeError):
        open_question(verified, {scene.pool.name: scene.pool})


@BOTH_SUITES
def test_a_question_for_another_pools_key_does_not_open(scene: Scene) -> None:
    other, _ = pool_pair(scene.header.suite)
    verified = verify(parse(scene.wire), ROUTE, scene.device.public_key())

    with pytest.raises(EnvelopeError):
        open_question(verified, {other.name: other})


@BOTH_SUITES
def test_another_key_under_the_right_name_does_not_open(scene: Scene) -> None:
    other, _ = pool_pair(scene.header.suite)
    verified = verify(parse(scene.wire), ROUTE, scene.device.public_key())

    with pytest.raises(EnvelopeError):
        open_question(verified, {scene.pool.name: other})


def test_a_question_longer_than_one_message_is_not_sealed() -> None:
    scene = SCENES[Suite.X25519]
    _, public = pool_pair(Suite.X25519)

    with pytest.raises(EnvelopeError, match="too long for one message"):
        seal_question(
            bytes(MAX_WIRE_BYTES),
            route=ROUTE,
            pool_key=public,
            device_key=scene.device,
            header=scene.header,
        )
