"""Attacks on the envelope. A new bug adds a row first."""

import hashlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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
    PoolPrivateKey,
    PoolPublicKey,
    Suite,
    generate_private_bytes,
    public_bytes,
    signing_key_name,
)
from broker.wire.topics import DeviceId, FleetId, PoolId, Route

BODY = b"call <NAME_1> back"
HEADER_BYTES, SIGNATURE_BYTES = 42, 64
ROUTE = Route(FleetId("home"), PoolId("main"), DeviceId("board-1"))
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


@dataclass(frozen=True)
class Scene:
    """A device, a pool, a question between them, and what the other side would do with it."""

    device: Ed25519PrivateKey
    pool: PoolPrivateKey
    header: Header
    wire: bytes = field(repr=False)
    reply_key: ReplyKey

    def open(self, wire: bytes, route: Route = ROUTE) -> bytes:
        verified = verify(parse(wire), route, self.device.public_key())
        return open_question(verified, {self.pool.name: self.pool})[0]

    def reply(self, body: bytes = b"done") -> bytes:
        return seal_reply(body, self.reply_key)


def pool_pair(suite: Suite) -> tuple[PoolPrivateKey, PoolPublicKey]:
    private = generate_private_bytes(suite)
    return (
        PoolPrivateKey.from_bytes(suite, private),
        PoolPublicKey.from_bytes(suite, public_bytes(suite, private)),
    )


def make_scene(suite: Suite) -> Scene:
    device = Ed25519PrivateKey.generate()
    private, public = pool_pair(suite)
    name = signing_key_name(device.public_key())
    header = Header(suite, public.name, name, UUID(int=7), 1_000, 2_000)
    wire, reply_key = seal_question(
        BODY, route=ROUTE, pool_key=public, device_key=device, header=header
    )
    return Scene(device, private, header, wire, reply_key)


SCENES = {suite: make_scene(suite) for suite in Suite}
BOTH_SUITES = pytest.mark.parametrize("scene", SCENES.values(), ids=[s.name for s in SCENES])


def flipped(wire: bytes, at: int, bit: int = 0) -> bytes:
    altered = bytearray(wire)
    altered[at] ^= 1 << bit
    return bytes(altered)


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


@BOTH_SUITES
def test_a_reply_opens(scene: Scene) -> None:
    body = open_reply(scene.reply(), scene.reply_key)

    assert body == b"done"


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


def another_question(scene: Scene) -> ReplyKey:
    return replace(scene.reply_key, bound=os.urandom(32))


REPLY_KEYS: dict[str, Callable[[Scene], ReplyKey]] = {
    "another question's": lambda scene: make_scene(scene.header.suite).reply_key,
    "the same secret, another question": another_question,
    "the same question, another secret": lambda s: replace(s.reply_key, secret=os.urandom(32)),
    "forged without the key": lambda _: ReplyKey(os.urandom(32), os.urandom(32)),
}


@pytest.mark.parametrize("key", REPLY_KEYS.values(), ids=REPLY_KEYS)
@BOTH_SUITES
def test_a_reply_of_another_question_is_refused(
    scene: Scene, key: Callable[[Scene], ReplyKey]
) -> None:
    forged = seal_reply(b"done", key(scene))

    with pytest.raises(EnvelopeError):
        open_reply(forged, scene.reply_key)


REPLY_CUTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "nonce alone": lambda wire: wire[:32],
    "nonce cut": lambda wire: wire[:31],
    "shorter than a tag": lambda wire: wire[:40],
    "last byte missing": lambda wire: wire[:-1],
    "one byte more": lambda wire: wire + b"\0",
    "nonce flipped": lambda wire: flipped(wire, 0),
    "text flipped": lambda wire: flipped(wire, 33),
    "tag flipped": lambda wire: flipped(wire, -1),
    "longer than any envelope": lambda wire: wire.ljust(MAX_WIRE_BYTES + 1, b"\0"),
}


@pytest.mark.parametrize("cut", REPLY_CUTS.values(), ids=REPLY_CUTS)
def test_an_altered_reply_is_refused(cut: Callable[[bytes], bytes]) -> None:
    scene = SCENES[Suite.XWING]

    with pytest.raises(EnvelopeError):
        open_reply(cut(scene.reply()), scene.reply_key)


def test_the_question_itself_is_no_reply() -> None:
    scene = SCENES[Suite.XWING]

    with pytest.raises(EnvelopeError):
        open_reply(scene.wire, scene.reply_key)


def test_two_replies_to_one_question_share_no_bytes() -> None:
    scene = SCENES[Suite.XWING]

    first, second = scene.reply(), scene.reply()

    assert first[:32] != second[:32]
    assert first[32:] != second[32:]


def test_no_secret_is_shown_when_a_value_is_printed() -> None:
    scene = SCENES[Suite.XWING]

    shown = repr((scene.pool, scene.reply_key))

    assert scene.reply_key.secret.hex() not in shown
    assert "secret" not in shown
