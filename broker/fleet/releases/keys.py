"""The keys that sign releases.

    DIR/releases/offline/<role>-<key>.key    root, targets: locked with the fleet's passphrase
    DIR/releases/online/<role>-<key>.key     timestamp, snapshot, rollout: in the clear, for a timer

A key's file is named after its role and the first 8 characters of its id, so a file is found for
each key that signed metadata names, and an old key that is still there signs nothing any more.
Keys of other people lie elsewhere, in files of the same kind, each with its owner's passphrase.
"""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import store
from broker.fleet.passphrase import lock, unlock
from broker.fleet.private import make_private

OFFLINE: Final = "offline"
ONLINE: Final = "online"
_SHOWN: Final = 8  # characters of a key's id


def make_key(folder: Path, role: str, passphrase: str | None = None) -> SSlibKey:
    """Make a key for a role, store its private half, and return the public one.

    Raises:
        OSError: the disk refused.
    """
    private = Ed25519PrivateKey.generate()
    public = SSlibKey.from_crypto(private.public_key())
    path = key_path(folder, role, public)
    make_private(folder)
    store(path, lock(path.name, private.private_bytes_raw().hex().encode(), passphrase))
    return public


def key_path(folder: Path, role: str, public: Key) -> Path:
    """Where the private half of a key lies, if it is here."""
    return folder / f"{role}-{public.keyid[:_SHOWN]}.key"


def open_key(path: Path, passphrase: str | None = None) -> CryptoSigner:
    """Open a key's file.

    Raises:
        PassphraseError: it is locked, and this passphrase, or none, does not open it.
        NotAFleetError: it is not there, or damaged.
    """
    try:
        secret = unlock(path.name, path.read_bytes(), passphrase)
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret.decode("ascii")))
    except OSError as error:
        raise NotAFleetError(f"{path}: {error.strerror}. Restore it from a backup") from error
    except ValueError as error:
        raise NotAFleetError(f"{path} is damaged; restore a backup") from error
    return CryptoSigner(private)


def public_key(text: str) -> SSlibKey:
    """Read a public key: 64 hexadecimal digits.

    Raises:
        NotAFleetError: it is none.
    """
    try:
        raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError:
        raise NotAFleetError("a public key is 64 hexadecimal digits") from None
    return SSlibKey.from_crypto(raw)


def show_public(key: Key) -> str:
    """A public key as `public_key` reads it."""
    return str(key.keyval["public"])
