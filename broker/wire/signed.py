"""Documents that only one key can write, the fleet's root or a device: bundles, rosters, reports.

    {"signed": "<the document, as text>", "signature": "<Ed25519, hex>"}

The text is signed as it stands, so nobody needs a canonical form of JSON. The label keeps a
signature over one kind of document from being taken for another.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from broker.wire.document import Document
from broker.wire.errors import KeyFileError


class _Signed(Document, frozen=True):
    signed: str
    signature: str


def sign(label: str, document: str, key: Ed25519PrivateKey) -> bytes:
    """Wrap a document with a signature."""
    signature = key.sign(_message(label, document)).hex()
    return _Signed(signed=document, signature=signature).write()


def open_signed(label: str, wrapped: bytes, key: Ed25519PublicKey) -> str:
    """The document, if this key signed it under this label.

    Raises:
        KeyFileError: it did not, or these bytes are no signed document.
    """
    try:
        envelope = _Signed.read(wrapped)
        key.verify(bytes.fromhex(envelope.signature), _message(label, envelope.signed))
    except (ValueError, InvalidSignature):
        raise KeyFileError(f"this {label} is not signed by the fleet's root") from None
    return envelope.signed


def _message(label: str, document: str) -> bytes:
    return f"fl/v1 {label}\0{document}".encode()
