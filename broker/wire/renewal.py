"""New keys for a device that is in a fleet: asked for with the old key, granted by the root.

    request = {"asked": "<fleet, device, new keys>", and three signatures over
               "fl/v1 renewal" 0 || asked:  by the old key, the new one, and the new one for TLS}
    answer  = the root's signature over {fleet, device, request: SHA-256, certificate}

Nothing of it is secret: public keys and a certificate. The old key proves who asks, the new ones
that the board has them. Only the newest key of a device may ask, so that a request cannot be
brought back later, nor an old key that was stolen be used to ask for another.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Final

from cryptography.exceptions import InvalidSignature
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
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta

from broker.wire.credentials import DeviceCard
from broker.wire.document import Document, Name
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.signed import open_signed

LABEL: Final = "renewal"
MAX_REQUEST_BYTES: Final = 4096
_PROVEN: Final = b"fl/v1 renewal\0"
_Hex = Annotated[str, Meta(max_length=512)]


class Asked(Document, frozen=True):
    """Which keys a device wants to have."""

    fleet: Name
    device: Name
    signing_key: _Hex  # Ed25519, 32 bytes
    tls_key: _Hex  # P-256, uncompressed, 65 bytes

    def signing_public(self) -> Ed25519PublicKey:
        """The key that it will sign questions with."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.signing_key))

    def tls_public(self) -> EllipticCurvePublicKey:
        """The key that it will connect with."""
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes.fromhex(self.tls_key))


class _Request(Document, frozen=True):
    asked: Annotated[str, Meta(max_length=MAX_REQUEST_BYTES)]
    by_old: _Hex
    by_new: _Hex
    by_tls: _Hex


class Renewed(Document, frozen=True):
    """The answer to one request."""

    fleet: Name
    device: Name
    request: _Hex  # SHA-256
    certificate: str  # PEM, for the new key


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose new keys are proven to be the sender's; who that is, is not."""

    asked: Asked
    digest: str  # SHA-256 of its bytes, hex
    _text: bytes = field(repr=False)
    _by_old: bytes = field(repr=False)

    def is_by(self, key: Ed25519PublicKey) -> bool:
        """Whether this key asked."""
        try:
            key.verify(self._by_old, _PROVEN + self._text)
        except InvalidSignature:
            return False
        return True


def make_request(
    card: DeviceCard,
    old: Ed25519PrivateKey,
    new: Ed25519PrivateKey,
    tls: EllipticCurvePrivateKey,
) -> bytes:
    """Ask for new keys."""
    point = tls.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    asked = Asked(
        fleet=card.fleet,
        device=card.device,
        signing_key=new.public_key().public_bytes_raw().hex(),
        tls_key=point.hex(),
    ).write()
    return _Request(
        asked=asked.decode(),
        by_old=old.sign(_PROVEN + asked).hex(),
        by_new=new.sign(_PROVEN + asked).hex(),
        by_tls=tls.sign(_PROVEN + asked, ECDSA(SHA256())).hex(),
    ).write()


def read_request(wire: bytes) -> Request:
    """Read a request.

    Raises:
        EnvelopeError: it is none, or its sender has not the keys that it names.
    """
    if len(wire) > MAX_REQUEST_BYTES:
        raise EnvelopeError("not a request for new keys")
    try:
        request = _Request.read(wire)
        text = request.asked.encode()
        asked = Asked.read(text)
        asked.signing_public().verify(bytes.fromhex(request.by_new), _PROVEN + text)
        asked.tls_public().verify(bytes.fromhex(request.by_tls), _PROVEN + text, ECDSA(SHA256()))
        by_old = bytes.fromhex(request.by_old)
    except (ValueError, InvalidSignature):
        raise EnvelopeError("not a request for new keys") from None
    return Request(asked, _digest(wire), text, by_old)


def read_answer(wrapped: bytes, request: bytes, root: Ed25519PublicKey) -> Renewed:
    """Read the root's answer to a request of ours.

    Raises:
        KeyFileError: it is none.
    """
    try:
        renewed = Renewed.read(open_signed(LABEL, wrapped, root))
    except ValueError:
        raise KeyFileError(f"this {LABEL} does not match its schema") from None
    if renewed.request != _digest(request):
        raise KeyFileError(f"this {LABEL} answers another request")
    return renewed


def _digest(wire: bytes) -> str:
    return hashlib.sha256(wire).hexdigest()
