"""`firstline fleet exporter` and `metrics`: a fleet's devices and pools, for Prometheus."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from broker.fleet import where
from broker.fleet.authority import EXPORTER_FOLDER
from broker.fleet.certificates import EXPORTER
from broker.fleet.exporting import make_exporter, read_exporter
from broker.fleet.mosquitto import LOOPBACK
from broker.fleet.root import open_root
from broker.wire.link import Address
from broker.wire.tls import TlsFiles
from broker.wire.topics import FleetId
from firstline.commands.fleet_options import DEFAULT_FOLDER, FolderOption
from firstline.commands.log_options import LogJsonOption, QuietOption, VerboseOption
from firstline.console import JsonOption, emit, show
from firstline.exits import CommandError, ExitCode
from firstline.logs import log_to_stderr
from firstline.passphrases import PassphraseFile, passphrase_of
from firstline.places import PLAIN_PORT, TLS_PORT
from firstline.stopping import on_stop

_LISTEN = f"{LOOPBACK}:9465"
_MOST_PORT = 65_535


def exporter(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make the keys of who watches the fleet: it hears presences, and may say nothing."""
    from firstline.fleet_broker import tell_broker  # noqa: PLC0415 - the others need no MQTT

    root = open_root(folder, passphrase_of(folder, passphrase_file))
    made = make_exporter(root, now_s=time.time())
    told = tell_broker(folder)
    following = f"firstline fleet metrics --dir {folder}"
    lines = (
        f"Made the exporter's folder {made}.",
        told,
        f"Next:  {following}  (or copy the folder, and give it as --keys with --host)",
    )
    show({"exporter_folder": made, "broker": told, "next": following}, lines, as_json=as_json)


def metrics(  # noqa: PLR0913 - each is an option of the command
    *,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where Prometheus asks; port 0: a free one.")
    ] = _LISTEN,
    folder: FolderOption = DEFAULT_FOLDER,
    keys: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The exporter's folder, if elsewhere.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="The broker; without --keys, one without TLS.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=_MOST_PORT)] = None,
    most_devices: Annotated[
        int, typer.Option(min=1, max=100_000, help="Of how many devices it tells.")
    ] = 1_000,
    verbose: VerboseOption = 0,
    quiet: QuietOption = 0,
    log_json: LogJsonOption = False,
    as_json: JsonOption = False,
) -> None:
    """Serve what devices and workers say of themselves to Prometheus, until SIGTERM or Ctrl-C."""
    from broker.pages import PageServer  # noqa: PLC0415 - the other verbs need none of these
    from firstline.watching.exporter import Exporter  # noqa: PLC0415
    from firstline.watching.states import States  # noqa: PLC0415

    log_to_stderr(verbose=verbose, quiet=quiet, as_json=log_json)
    address, fleet = _broker(folder, keys, host, port)
    service = Exporter(address, fleet=fleet, states=States(most_devices))
    with PageServer(*_place(listen), service.pages()) as server, on_stop(service.stop):
        if as_json:
            emit({"event": "started", "url": server.address})
        service.run()
    if as_json:
        emit({"event": "stopped"})


def _broker(
    folder: Path, keys: Path | None, host: str | None, port: int | None
) -> tuple[Address, FleetId]:
    found = where.known(folder) if keys is None and host is None and port is None else None
    if found is not None:
        keys, host, port = folder / EXPORTER_FOLDER, found.host, found.port
    if keys is None:
        name = f"metrics-{os.urandom(4).hex()}"
        return Address(host=host or LOOPBACK, port=port or PLAIN_PORT, client_id=name), FleetId("+")
    card = read_exporter(keys)
    address = Address(
        host=host or LOOPBACK, port=port or TLS_PORT, client_id=EXPORTER, tls=TlsFiles.of(keys)
    )
    return address, FleetId(card.fleet)


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > _MOST_PORT:
        raise CommandError(f"--listen {listen}: it looks like {_LISTEN}", ExitCode.USAGE)
    return host.strip("[]"), int(port)
