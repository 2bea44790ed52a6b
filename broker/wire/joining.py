"""Join a fleet: the one request of a board that has a code, and its one answer.

    request = nonce (12) || AES-256-GCM(request key, nonce, Request, "fl/v1 join request" 0)
    answer  = nonce (12) || AES-256-GCM(answer key, nonce, 0 || Welcome  or  Refusal,
                                        "fl/v1 join answer" 0 || SHA-256(request))

Both keys come from the code and the fleet's name, so the broker can neither read, alter nor make
one, and an answer opens for that one request. The board proves that it has the private halves of
the keys that it names; they never leave it. It does not say who it is: the invitation does.
"""

import hashlib
import os
from enum import IntEnum
from typing import Annotated, Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta

from broker.wire.document import Document, Name
from broker.wire.envelope import MAX_REPLY_BYTES
from broker.wire.errors import EnvelopeError, JoinRefusedError
from broker.wire.join_code import JoinSecret

MAX_REQUEST_BYTES: Final = 4096  # four hexadecimal fields
_NONCE_BYTES: Final = 12
_REQUEST: Final = b"fl/v1 join request\0"
_ANSWER: Final = b"fl/v1 join answer\0"
_PROOF: Final = b"fl/v1 join proof\0"

Hex = Annotated[str, Meta(max_length=512)]


class Refusal(IntEnum):
    """Why a board that has the code is not let in."""

    USED = 1
    EXPIRED = 2


class Request(Document, frozen=True):
    """Whom the fleet is to know."""

    signing_key: Hex  # Ed25519, 32 bytes
    tls_key: Hex  # P-256, uncompressed, 65 bytes
    signing_proof: Hex
    tls_proof: Hex

    def signing_public(self) -> Ed25519PublicKey:
        """The key that it will sign questions with."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.signing_key))

    def tls_public(self) -> EllipticCurvePublicKey:
        """The key that it will connect with."""
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes.fromhex(self.tls_key))


class Welcome(Document, frozen=True):
    """All that a device needs beside the keys that it made."""

    fleet: Name
    device: Name
    pool: Name
    root: str  # Ed25519, hex
    bundle: str  # signed by the root
    authority: str  # PEM
    certificate: str  # PEM
    port: int = 0  # where the broker listens for devices, with TLS; 0: nobody has said so


def seal_request(
    secret: JoinSecret, signing: Ed25519PrivateKey, tls: EllipticCurvePrivateKey
) -> bytes:
    """Ask to be let in with these keys."""
    signing_key = signing.public_key().public_bytes_raw()
    tls_key = tls.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    proven = _proven(secret, signing_key, tls_key)
    request = Request(
        signing_key=signing_key.hex(),
        tls_key=tls_key.hex(),
        signing_proof=signing.sign(proven).hex(),
        tls_proof=tls.sign(proven, ECDSA(SHA256())).hex(),
    )
    return _seal(secret.request_key, request.write(), _REQUEST)


def open_request(wire: bytes, secret: JoinSecret) -> Request:
    """Read a request whose keys are proven to be the sender's.

    Raises:
        EnvelopeError: it is none for this invitation. Why is not told.
    """
    if len(wire) > MAX_REQUEST_BYTES:
        raise EnvelopeError("request does not open")
    content = _open(secret.request_key, wire, _REQUEST)
    try:
        request = Request.read(content)
        proven = _proven(secret, bytes.fromhex(request.signing_key), bytes.fromhex(request.tls_key))
        request.signing_public().verify(bytes.fromhex(request.signing_proof), proven)
        request.tls_public().verify(bytes.fromhex(request.tls_proof), proven, ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        raise EnvelopeError("request does not open") from None
    return request


def seal_welcome(welcome: Welcome, secret: JoinSecret, request: bytes) -> bytes:
    """Let the sender of a request in."""
    return _seal_answer(bytes([0]) + welcome.write(), secret, request)


def seal_refusal(refusal: Refusal, secret: JoinSecret, request: bytes) -> bytes:
    """Tell the sender of a request why not."""
    return _seal_answer(bytes([refusal]), secret, request)


def open_answer(wire: bytes, secret: JoinSecret, request: bytes) -> Welcome:
    """Read the answer to a request of ours.

    Raises:
        EnvelopeError: it is none to this request. Why is not told.
        JoinRefusedError: it is, and we are not let in.
    """
    content = _open(secret.answer_key, wire, _answered(request))
    try:
        if content[0] != 0:
            raise JoinRefusedError(Refusal(content[0]).name.lower())
        return Welcome.read(content[1:])
    except (ValueError, IndexError):
        raise EnvelopeError("answer does not open") from None


def _seal_answer(content: bytes, secret: JoinSecret, request: bytes) -> bytes:
    if len(content) > MAX_REPLY_BYTES:
        raise ValueError(f"an answer of {len(content)} bytes fits into no message")
    return _seal(secret.answer_key, content, _answered(request))


def _answered(request: bytes) -> bytes:
    return _ANSWER + hashlib.sha256(request).digest()


def _proven(secret: JoinSecret, signing_key: bytes, tls_key: bytes) -> bytes:
    return _PROOF + secret.id.encode() + signing_key + tls_key


def _seal(key: bytes, content: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, context)


def _open(key: bytes, wire: bytes, context: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(wire[:_NONCE_BYTES], wire[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError):
        raise EnvelopeError("does not open") from None
