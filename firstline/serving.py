"""What `firstline fleet serve` stands on: its own name at the broker, and one server at a time.

The operator's own connection stays free for commands, and who serves day and night can publish
releases and nothing else.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from broker.fleet.authority import open_authority, write_client
from broker.fleet.certificates import RELEASES
from broker.fleet.private import make_private
from broker.wire.session import Address
from broker.wire.tls import CERTIFICATE, TlsFiles
from firstline.exits import CommandError
from firstline.fleet_broker import broker_of, tell_broker
from firstline.places import PLAIN_PORT, parse_place

FOLDER: Final = "serving"
_LOCK: Final = ".lock"


def server_address(
    folder: Path,
    plain: str | None,
    *,
    passphrase: Callable[[], str | None],
    told: Callable[[str], None],
) -> Address:
    """Who we are to the fleet's broker; the certificate for it is made the first time.

    Raises:
        CommandError: nothing is known of a broker.
        PassphraseError: a certificate is to be made, and the fleet's authority is locked.
    """
    if plain is not None:
        host, port = parse_place(plain, PLAIN_PORT)
        return Address(host=host, port=port, client_id=RELEASES)
    place, own = broker_of(folder), folder / FOLDER
    if not (own / CERTIFICATE).exists():
        authority = open_authority(folder, passphrase())
        make_private(own)
        write_client(authority, own, RELEASES, now_s=time.time())
        told(tell_broker(folder))
    return Address(host=place.host, port=place.port, client_id=RELEASES, tls=TlsFiles.of(own))


@contextmanager
def only_one(folder: Path) -> Iterator[bool]:
    """Be the one who serves a fleet's releases; false: somebody is already.

    Raises:
        OSError: the disk refused.
    """
    make_private(folder / FOLDER)
    descriptor = os.open(folder / FOLDER / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _locks(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a second server away: at the broker it would push the first one out, and so on.

    Raises:
        CommandError: there is one already.
    """
    with only_one(folder) as ours:
        if not ours:
            raise CommandError(f"another 'firstline fleet serve' serves {folder} already")
        yield


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
