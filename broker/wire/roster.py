"""The roster: which devices a fleet has, and the keys that they sign questions with."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.keys import signing_key_name
from broker.wire.topics import DeviceId

LABEL = "roster"


class Enrolled(BaseModel):
    """One device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[str, ...] = Field(min_length=1)  # Ed25519 public keys, hex; old and new
    revoked: bool = False


class Roster(BaseModel):
    """All devices of a fleet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fleet: str
    version: int = Field(ge=1)
    devices: dict[str, Enrolled]

    @classmethod
    def parse(cls, document: str) -> "Roster":
        """Read a roster whose signature is proven.

        Raises:
            KeyFileError: not a roster.
        """
        try:
            return cls.model_validate_json(document)
        except ValidationError:
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
