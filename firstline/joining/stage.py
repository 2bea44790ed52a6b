"""The keys of a board that joins: made here, put in place whole.

    .keys.joining/   identity.key  storage.key  tls.key  join.json      before it asks
                     device.json  root.pub  bundle.json  tls.pem  tls-ca.pem     when it is let in
        | checked as the agent will read it, then renamed
    keys/

A command that was cut short is given again with the same code: it asks with the same bytes, and
gets the same answer.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.certificates import new_key, private_pem
from broker.fleet.folder import store
from broker.fleet.private import make_private
from broker.wire.certificate import check_certificate, load_tls_key
from broker.wire.credentials import (
    BUNDLE,
    DEVICE_CARD,
    IDENTITY_KEY,
    ROOT_PUBLIC,
    STORAGE_KEY,
    STORAGE_KEY_BYTES,
    DeviceCard,
    load_device,
)
from broker.wire.document import Document
from broker.wire.join_code import JoinSecret
from broker.wire.joining import Welcome, seal_request
from broker.wire.tls import AUTHORITY, CERTIFICATE, PRIVATE_KEY
from firstline.exits import CommandError, ExitCode

_CARD: Final = "join.json"


class _JoinCard(Document, frozen=True):
    """`join.json`: how these keys joined, or try to."""

    id: str
    request: str  # the sealed bytes, hex


@dataclass(frozen=True, slots=True)
class Stage:
    """Keys that no fleet knows yet, and the request that names them."""

    keys: Path  # where they shall lie
    folder: Path  # where they lie until then
    request: bytes = field(repr=False)


def joined(keys: Path, secret: JoinSecret) -> DeviceCard | None:
    """Whom this code has made us already; None: nobody yet.

    Raises:
        CommandError: something else is there.
    """
    if not keys.exists() or (keys.is_dir() and not any(keys.iterdir())):
        return None
    try:
        card = _JoinCard.read((keys / _CARD).read_bytes())
        if card.id == secret.id:
            return DeviceCard.read((keys / DEVICE_CARD).read_bytes())
    except (OSError, ValueError):
        pass
    raise CommandError(
        f"{keys} is there already: this board has keys. Use them, or name another folder with "
        "--keys",
        ExitCode.KEYS,
    )


@contextmanager
def staged(keys: Path, secret: JoinSecret) -> Iterator[Stage]:
    """Make a board's keys, or find those of a command that was cut short.

    Raises:
        CommandError: another `join` is at work on them.
        OSError: the disk refused.
    """
    folder = keys.absolute().parent / f".{keys.name}.joining"
    make_private(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"another 'firstline join' is making {keys}") from None
        yield Stage(keys, folder, _begun(folder, secret) or _begin(folder, secret))
    finally:
        os.close(descriptor)


def finish(stage: Stage, welcome: Welcome) -> DeviceCard:
    """Put the keys in place, now that a fleet knows them.

    Raises:
        KeyFileError: the answer does not hold together, and nothing is put in place.
        OSError: the disk refused.
    """
    folder = stage.folder
    card = DeviceCard(fleet=welcome.fleet, device=welcome.device, pool=welcome.pool)
    store(folder / DEVICE_CARD, card.write())
    store(folder / ROOT_PUBLIC, welcome.root.encode())
    store(folder / BUNDLE, welcome.bundle.encode())
    store(folder / CERTIFICATE, welcome.certificate.encode())
    store(folder / AUTHORITY, welcome.authority.encode())
    load_device(folder)
    check_certificate(
        welcome.certificate,
        welcome.authority,
        name=welcome.device,
        key=load_tls_key(folder / PRIVATE_KEY).public_key(),
    )
    folder.rename(stage.keys)
    descriptor = os.open(stage.keys.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return card


def _begin(folder: Path, secret: JoinSecret) -> bytes:
    for path in folder.iterdir():  # of another code, or cut short
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    signing, tls = Ed25519PrivateKey.generate(), new_key()
    request = seal_request(secret, signing, tls)
    store(folder / IDENTITY_KEY, signing.private_bytes_raw().hex().encode())
    store(folder / STORAGE_KEY, os.urandom(STORAGE_KEY_BYTES).hex().encode())
    store(folder / PRIVATE_KEY, private_pem(tls))
    # Last: it says that the others are there.
    store(folder / _CARD, _JoinCard(id=secret.id, request=request.hex()).write())
    return request


def _begun(folder: Path, secret: JoinSecret) -> bytes | None:
    try:
        card = _JoinCard.read((folder / _CARD).read_bytes())
        return bytes.fromhex(card.request) if card.id == secret.id else None
    except (OSError, ValueError):
        return None
