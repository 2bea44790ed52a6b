"""The key bundle: which keys of a pool a device may seal to, and until when.

Signed by the fleet's root, with a version that only rises, so the broker that carries it can
neither substitute a key nor bring an old one back.
"""

from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from broker.wire.document import Document, Name, Version
from broker.wire.errors import KeyFileError
from broker.wire.keys import PoolPublicKey, Suite

LABEL = "key bundle"


class BundledKey(Document, frozen=True):
    """One public key of a pool."""

    suite: Suite
    public: str  # hex
    not_before_s: int  # Unix time, seconds
    not_after_s: int  # Unix time, seconds


class KeyBundle(Document, frozen=True):
    """The public keys of a pool."""

    fleet: Name
    pool: Name
    version: Version
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


@lru_cache(maxsize=8)  # parsing a post-quantum key costs as much as sealing to it
def _parsed(suite: Suite, public: str) -> PoolPublicKey:
    try:
        return PoolPublicKey.from_bytes(suite, bytes.fromhex(public))
    except ValueError:
        raise KeyFileError("a key in the bundle is not hexadecimal") from None
