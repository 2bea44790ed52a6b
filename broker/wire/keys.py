"""Keys: a pool's key-agreement keys and a device's signing key.

    suite 2   X-Wing (ML-KEM-768 + X25519) / HKDF-SHA256 / AES-256-GCM    the default
    suite 1   X25519 / HKDF-SHA256 / AES-256-GCM                          where ML-KEM is missing

A key is named by the first 8 bytes of the SHA-256 of its suite and public bytes.
`cryptography` gives no serialisation of hybrid keys: a private key is stored as the 64-byte
ML-KEM seed and the 32-byte X25519 key, a public key as 1,184 + 32 bytes.
"""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import Suite as Hpke

from broker.wire.errors import KeyFileError

KEY_NAME_BYTES = 8
_MLKEM_SEED_BYTES = 64
_MLKEM_PUBLIC_BYTES = 1184
_X25519_BYTES = 32

_PublicKey = X25519PublicKey | MLKEM768X25519PublicKey
_PrivateKey = X25519PrivateKey | MLKEM768X25519PrivateKey


class Suite(IntEnum):
    """Second byte of an envelope."""

    X25519 = 1
    XWING = 2


PRIVATE_BYTES = {Suite.X25519: _X25519_BYTES, Suite.XWING: _MLKEM_SEED_BYTES + _X25519_BYTES}
_KEM = {Suite.X25519: KEM.X25519, Suite.XWING: KEM.MLKEM768_X25519}


def hpke(suite: Suite) -> Hpke:
    """The HPKE suite (RFC 9180, section 7) behind a number of ours."""
    return Hpke(_KEM[suite], KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def supported_suites() -> tuple[Suite, ...]:
    """The suites that the linked OpenSSL can do, best first."""
    try:
        MLKEM768PrivateKey.generate()
    except UnsupportedAlgorithm:
        return (Suite.X25519,)
    return (Suite.XWING, Suite.X25519)


def key_name(suite: Suite, public: bytes) -> bytes:
    """Name a pool key, 8 bytes."""
    return hashlib.sha256(bytes([suite]) + public).digest()[:KEY_NAME_BYTES]


def signing_key_name(public: Ed25519PublicKey) -> bytes:
    """Name a device's signing key, 8 bytes."""
    return hashlib.sha256(public.public_bytes_raw()).digest()[:KEY_NAME_BYTES]


@dataclass(frozen=True, slots=True)
class PoolPublicKey:
    """What a device seals questions to."""

    suite: Suite
    name: bytes
    key: _PublicKey = field(repr=False)

    @classmethod
    def from_bytes(cls, suite: Suite, public: bytes) -> Self:
        """Read a public key.

        Raises:
            KeyFileError: the bytes are no key of this suite.
        """
        try:
            return cls(suite, key_name(suite, public), _public_key(suite, public))
        except ValueError as error:
            raise KeyFileError(f"not a public key of suite {suite.name}") from error


@dataclass(frozen=True, slots=True)
class PoolPrivateKey:
    """What a worker opens questions with."""

    suite: Suite
    name: bytes
    key: _PrivateKey = field(repr=False)

    @classmethod
    def from_bytes(cls, suite: Suite, private: bytes) -> Self:
        """Read a private key.

        Raises:
            KeyFileError: the bytes are no key of this suite.
        """
        try:
            key = _private_key(suite, private)
        except ValueError as error:
            raise KeyFileError(f"not a private key of suite {suite.name}") from error
        return cls(suite, key_name(suite, public_bytes(suite, private)), key)


def public_bytes(suite: Suite, private: bytes) -> bytes:
    """The public half of a pool key."""
    curve = X25519PrivateKey.from_private_bytes(private[-_X25519_BYTES:])
    curve_public = curve.public_key().public_bytes_raw()
    if suite is Suite.X25519:
        return curve_public
    lattice = MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED_BYTES])
    return lattice.public_key().public_bytes_raw() + curve_public


def _public_key(suite: Suite, public: bytes) -> _PublicKey:
    if suite is Suite.X25519:
        return X25519PublicKey.from_public_bytes(public)
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
    )


def _private_key(suite: Suite, private: bytes) -> _PrivateKey:
    if suite is Suite.X25519:
        return X25519PrivateKey.from_private_bytes(private)
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(private[_MLKEM_SEED_BYTES:]),
    )
