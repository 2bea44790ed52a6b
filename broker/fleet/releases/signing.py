"""Who signs: the keys that lie here, and people who have theirs elsewhere.

new metadata --sign_here--> signed by enough: in force
by too few: a draft --sign_file--> in force, once adopted
"""

from collections.abc import Iterator
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Key
from tuf.api.metadata import Metadata, Root, T, Targets

from broker.fleet.errors import FleetError
from broker.fleet.folder import store
from broker.fleet.releases.keys import OFFLINE, ONLINE, key_path, open_key
from broker.fleet.releases.metadata import dump
from broker.fleet.releases.shelf import read_metadata

_OFFLINE_ROLES = (Root.type, Targets.type)
Delegator = Root | Targets


def place_of(role: str) -> str:
    """The folder of a role's keys, in that of the releases."""
    return OFFLINE if role in _OFFLINE_ROLES else ONLINE


def sign_here(
    metadata: Metadata[T],
    role: str,
    delegators: tuple[Delegator, ...],
    *,
    folder: Path,
    passphrase: str | None = None,
) -> None:
    """Add the signature of every key of the role that lies here.

    Args:
        metadata: What to sign.
        role: Whose it is.
        delegators: Who say which keys sign it: of a root, the version before and itself.
        folder: That of the releases.
        passphrase: Of the keys here.

    Raises:
        PassphraseError: a key is locked, and this passphrase, or none, does not open it.
    """
    keys = {key.keyid: key for each in delegators for key in keys_of(each, role)}
    for key in keys.values():
        path = key_path(folder / place_of(role), role, key)
        if path.exists():
            _add(metadata, open_key(path, passphrase))


def keys_of(delegator: Delegator, role: str) -> Iterator[Key]:
    """The keys that sign for a role."""
    for keyid in delegator.get_delegated_role(role).keyids:
        yield delegator.get_key(keyid)


def missing(metadata: Metadata[T], role: str, delegators: tuple[Delegator, ...]) -> int:
    """How many signatures are lacking: of a root, by the keys before it or by its own."""
    return max(
        each.get_verification_result(role, metadata.signed_bytes, metadata.signatures).missing
        for each in delegators
    )


def sign_file(path: Path, key: Path, passphrase: str | None = None) -> int:
    """Sign a draft with a key of one's own; return how many signatures it then has.

    Raises:
        PassphraseError: the key is locked, and this passphrase, or none, does not open it.
        NotAFleetError: a file is missing or damaged.
        FleetError: the disk refused.
    """
    metadata: Metadata[Root] = read_metadata(path)
    _add(metadata, open_key(key, passphrase))
    try:
        store(path, dump(metadata))
    except OSError as error:
        raise FleetError(f"{path}: {error.strerror}") from error
    return len(metadata.signatures)


def _add(metadata: Metadata[T], signer: CryptoSigner) -> None:
    metadata.sign(signer, append=True)
