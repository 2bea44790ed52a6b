"""Who `firstline fleet serve` is at the broker.

The operator's own connection stays free for commands, and who serves day and night can publish
releases and nothing else.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from broker.fleet.authority import CLIENT, open_authority, write_client
from broker.fleet.certificates import RELEASES
from broker.fleet.private import make_private
from broker.wire.session import Address
from broker.wire.tls import TlsFiles
from firstline.fleet_broker import broker_of, tell_broker
from firstline.places import PLAIN_PORT, parse_place

FOLDER: Final = "serving"


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
