"""The operator's private keys on disk: locked with a passphrase, or in the clear on demand.

    key file = what is locked                                     without a passphrase
             | {"scrypt_n", "salt", "sealed"} (JSON)              with one

    sealed = AES-256-GCM(scrypt(passphrase, salt, n, r = 8, p = 1), what is locked, aad = file name)

Not PKCS#8, which `cryptography` writes with 2,048 rounds of PBKDF2: whoever stole such a file would
try passphrases some thousand times as fast.
"""

import os
from typing import Annotated, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Meta

from broker.fleet.errors import NotAFleetError, PassphraseError
from broker.wire.document import Document

SCRYPT_N: Final = 2**17  # 128 MiB and a third of a second for each try: RFC 7914, section 2
_SCRYPT_R: Final = 8
_SALT_BYTES: Final = 16
_NONCE: Final = bytes(12)  # each salt, thus each key, seals once


class _Locked(Document, frozen=True):
    scrypt_n: Annotated[int, Meta(ge=2**10, le=2**20)]  # at most 1 GiB, whatever the damage
    salt: str  # hex
    sealed: str  # hex


def lock(name: str, secret: bytes, passphrase: str | None) -> bytes:
    """The content of a key file; `name` is the file's, and goes into the seal."""
    if passphrase is None:
        return secret
    salt = os.urandom(_SALT_BYTES)
    sealed = AESGCM(_stretched(passphrase, salt, SCRYPT_N)).encrypt(_NONCE, secret, name.encode())
    return _Locked(scrypt_n=SCRYPT_N, salt=salt.hex(), sealed=sealed.hex()).write()


def is_locked(content: bytes) -> bool:
    """Whether a key file wants a passphrase."""
    return content.startswith(b"{")


def unlock(name: str, content: bytes, passphrase: str | None) -> bytes:
    """What `lock` took.

    Raises:
        PassphraseError: it is locked, and this passphrase, or none, does not open it.
        NotAFleetError: the file is damaged.
    """
    if not is_locked(content):
        return content
    try:
        locked = _Locked.read(content)
        if passphrase is None:
            raise PassphraseError(f"{name} is locked: give its passphrase")
        key = _stretched(passphrase, bytes.fromhex(locked.salt), locked.scrypt_n)
        return AESGCM(key).decrypt(_NONCE, bytes.fromhex(locked.sealed), name.encode())
    except ValueError:
        raise NotAFleetError(f"{name} is damaged; restore a backup") from None
    except InvalidTag:
        raise PassphraseError(f"{name}: not its passphrase, or the file is damaged") from None


def _stretched(passphrase: str, salt: bytes, scrypt_n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=scrypt_n, r=_SCRYPT_R, p=1).derive(passphrase.encode())
