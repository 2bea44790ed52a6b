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

from broker.fleet.authority import CLIENT, open_authority, write_client
from broker.fleet.certificates import RELEASES
from broker.fleet.private import make_private
from broker.fleet.root import read_roster
from broker.wire.session import Address
from broker.wire.tls import TlsFiles
from broker.wire.topics import FleetId
from firstline.exits import CommandError
from firstline.fleet_broker import broker_of, tell_broker
from firstline.places import PLAIN_PORT, parse_place

FOLDER: Final = "serving"
_LOCK: Final = ".lock"


def fleet_of(folder: Path) -> FleetId:
    """The name of a fleet.

    Raises:
        NotAFleetError: there is none in this folder.
    """
    return FleetId(read_roster(folder).fleet)


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
    if not (own / CLIENT).exists():
        authority = open_authority(folder, passphrase())
        make_private(own)
        write_client(authority, own, RELEASES, now_s=time.time())
        told(tell_broker(folder))
    return Address(host=place.host, port=place.port, client_id=RELEASES, tls=TlsFiles.of(own))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a second server away: at the broker it would push the first one out, and so on.

    Raises:
        CommandError: there is one already.
    """
    make_private(folder / FOLDER)
    descriptor = os.open(folder / FOLDER / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CommandError(f"another 'firstline fleet serve' serves {folder} already") from None
    finally:
        os.close(descriptor)
