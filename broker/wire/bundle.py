"""The key bundle: which keys of a pool a device may seal to, and from when until when.

    |-- epoch 1 --|-- epoch 2 --|-- epoch 3 --|     a device seals to the epoch of now
    |-- opened ------|grace                         a worker opens an epoch's questions for longer
                  |-- opened ------|grace

Signed by the fleet's root, with a version that only rises, so the broker that carries it can
neither substitute a key nor bring an old one back. When the last epoch is over, so is the bundle.
"""

from functools import lru_cache
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from broker.wire.document import Document, Name, Version
from broker.wire.errors import KeyFileError
from broker.wire.keys import PoolPublicKey, Suite, key_name
from broker.wire.signed import open_signed

LABEL = "key bundle"


class BundledKey(Document, frozen=True):
    """One public key of a pool."""

    suite: Suite
    public: str  # hex
    not_before_s: int  # Unix time, seconds
    not_after_s: int  # Unix time, seconds

    @property
    def life_s(self) -> tuple[int, int]:
        """From when until when it may be sealed to, Unix time."""
        return self.not_before_s, self.not_after_s

    @property
    def name(self) -> bytes:
        """See `keys.key_name`.

        Raises:
            KeyFileError: it is no key.
        """
        try:
            return key_name(self.suite, bytes.fromhex(self.public))
        except ValueError:
            raise KeyFileError("a key in the bundle is not hexadecimal") from None


class KeyBundle(Document, frozen=True):
    """The public keys of a pool."""

    fleet: Name
    pool: Name
    version: Version
    grace_s: Annotated[int, Meta(ge=0)]  # for which workers open what was sealed in time
    notice_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]  # Ed25519, see `stale`
    keys: Annotated[tuple[BundledKey, ...], Meta(min_length=1)]

    @classmethod
    def parse(cls, document: str) -> "KeyBundle":
        """Read a bundle whose signature is proven.

        Raises:
            KeyFileError: not a bundle.
        """
        try:
            return cls.read(document)
        except ValueError:
            raise KeyFileError("this key bundle does not match its schema") from None

    @property
    def made_s(self) -> int:
        """When the first of its keys became valid: no clock that is right is before it."""
        return min(key.not_before_s for key in self.keys)

    @property
    def ends_s(self) -> int:
        """When the last of its keys is over: from then on nothing can be sealed."""
        return max(key.not_after_s for key in self.keys)

    @property
    def notice(self) -> Ed25519PublicKey:
        """What the workers sign with that a question's key is gone."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.notice_key))

    def best_key(self, suites: tuple[Suite, ...], now_s: float) -> PoolPublicKey:
        """The key to seal to now: the best suite that we can do, the newest in it.

        Raises:
            KeyFileError: no key is valid now, or none that we can use.
        """
        valid = [key for key in self.keys if key.not_before_s <= now_s < key.not_after_s]
        for suite in suites:
            of_suite = [key for key in valid if key.suite is suite]
            if of_suite:
                newest = max(of_suite, key=lambda key: key.not_before_s)
                return _parsed(suite, newest.public)
        raise KeyFileError(
            f"no key of pool {self.pool} is valid now for this device: "
            "check its clock, or fetch a new key bundle from the operator"
        )

    def names(self) -> dict[bytes, int]:
        """Every key by its name, and until when workers open what is sealed to it (Unix time).

        Raises:
            KeyFileError: one is no key.
        """
        return {key.name: key.not_after_s + self.grace_s for key in self.keys}


def open_bundle(wrapped: bytes, root: Ed25519PublicKey) -> tuple[KeyBundle, str]:
    """A bundle that the root signed, and its text.

    Raises:
        KeyFileError: it did not, or this is no bundle.
    """
    document = open_signed(LABEL, wrapped, root)
    return KeyBundle.parse(document), document


@lru_cache(maxsize=8)  # parsing a post-quantum key costs as much as sealing to it
def _parsed(suite: Suite, public: str) -> PoolPublicKey:
    try:
        return PoolPublicKey.from_bytes(suite, bytes.fromhex(public))
    except ValueError:
        raise KeyFileError("a key in the bundle is not hexadecimal") from None
