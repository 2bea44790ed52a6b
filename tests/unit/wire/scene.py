"""A device, a pool and a question between them, for the attacks on the envelope."""

import os
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.wire.envelope import (
    Header,
    ReplyKey,
    open_question,
    parse,
    seal_question,
    seal_reply,
    verify,
)
from broker.wire.keys import (
    PRIVATE_BYTES,
    PoolPrivateKey,
    PoolPublicKey,
    Suite,
    public_bytes,
    signing_key_name,
)
from broker.wire.topics import DeviceId, FleetId, PoolId, Route

BODY = b"call <NAME_1> back"
HEADER_BYTES, SIGNATURE_BYTES = 42, 64
ROUTE = Route(FleetId("home"), PoolId("main"), DeviceId("board-1"))


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
    private = os.urandom(PRIVATE_BYTES[suite])  # as a chain of epochs derives it
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
