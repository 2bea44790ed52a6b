"""The roster: which devices a fleet has, and the keys that they sign questions with."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from broker.wire.document import Document, Name, Version
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.keys import signing_key_name
from broker.wire.topics import DeviceId

LABEL = "roster"
_PublicKey = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Enrolled(Document, frozen=True):
    """One device."""

    keys: Annotated[tuple[_PublicKey, ...], Meta(min_length=1)]  # Ed25519, hex; old and new
    revoked: bool = False


class Roster(Document, frozen=True):
    """All devices of a fleet."""

    fleet: Name
    version: Version
    devices: dict[str, Enrolled]

    @classmethod
    def parse(cls, document: str) -> "Roster":
        """Read a roster whose signature is proven.

        Raises:
            KeyFileError: not a roster.
        """
        try:
            return cls.read(document)
        except ValueError:
            raise KeyFileError("this roster does not match its schema") from None

    def signing_key(self, device: DeviceId, name: bytes) -> Ed25519PublicKey:
        """The key with which an enrolled device signs.

        Raises:
            EnvelopeError: unknown or revoked device, or not a key of it.
        """
        enrolled = self.devices.get(device)
        if enrolled is None or enrolled.revoked:
            raise EnvelopeError("envelope does not open")
        for text in enrolled.keys:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
            if signing_key_name(key) == name:
                return key
        raise EnvelopeError("envelope does not open")
