"""The word of a worker that cannot open a question, since the key it is sealed to is gone.

    stale = "fl/v1 stale" 0 (12) || now (8) || Ed25519(notice key, "fl/v1 stale" 0 || bound || now)

Who cannot open a question has no secret to seal a reply with. So this one reply is signed and not
sealed: it says nothing but the worker's clock, and `bound` ties it to that one seal of that one
question. The notice key's public half stands in the key bundle.
"""

import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from broker.wire.errors import EnvelopeError

_LABEL = b"fl/v1 stale\0"
_NOW = struct.Struct(">Q")
_SIGNATURE_BYTES = 64
_WIRE_BYTES = len(_LABEL) + _NOW.size + _SIGNATURE_BYTES  # a sealed reply is never as short


@dataclass(frozen=True, slots=True)
class Stale:
    """The question's key is gone; this is the worker's clock."""

    now_s: int  # Unix time, seconds


def sign_stale(now_s: int, *, bound: bytes, notice_key: Ed25519PrivateKey) -> bytes:
    """Say that the question behind `bound` is sealed to a key that is gone."""
    now = _NOW.pack(now_s)
    return _LABEL + now + notice_key.sign(_LABEL + bound + now)


def is_stale(wire: bytes) -> bool:
    """Whether a reply has the form of this word; nothing of it is proven."""
    return len(wire) == _WIRE_BYTES and wire.startswith(_LABEL)


def open_stale(wire: bytes, *, bound: bytes, notice_key: Ed25519PublicKey) -> Stale:
    """Prove that a worker of the pool said so of this seal of this question.

    Raises:
        EnvelopeError: it did not.
    """
    now, signature = wire[len(_LABEL) : -_SIGNATURE_BYTES], wire[-_SIGNATURE_BYTES:]
    try:
        notice_key.verify(signature, _LABEL + bound + now)
    except InvalidSignature:
        raise EnvelopeError("envelope does not open") from None
    return Stale(*_NOW.unpack(now))
