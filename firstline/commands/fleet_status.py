"""`firstline fleet status`: what the devices say of themselves on the broker."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from broker.fleet import where
from broker.fleet.authority import OPERATOR_FOLDER
from broker.fleet.mosquitto import LOOPBACK
from broker.fleet.root import read_roster
from broker.wire.tls import TlsFiles
from firstline.commands.fleet_options import DEFAULT_FOLDER, FolderOption
from firstline.console import JsonOption, show
from firstline.places import PLAIN_PORT

if TYPE_CHECKING:
    from pathlib import Path

    from firstline.heard import Standing


def status(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    host: Annotated[str | None, typer.Option(help="A broker without TLS.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    wait_s: Annotated[float, typer.Option(min=0.1, max=60.0, help="How long to listen.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Show every device on the fleet's broker and what it has counted since its start."""
    from firstline.heard import listen  # noqa: PLC0415 - the other verbs need no MQTT

    if host is None and port is None and where.known(folder) is not None:
        found = hear_fleet(folder, wait_s=wait_s)
    else:
        found = listen(host or LOOPBACK, port or PLAIN_PORT, wait_s=wait_s)
    lines = [
        line
        for each in found
        for line in (
            f"{each.fleet}/{each.device}  {'online' if each.online else 'offline'}  {each.version}",
            *(f"    {name}  {count}" for name, count in sorted(each.counters.items())),
        )
    ]
    devices = [asdict(each) for each in found]
    show({"devices": devices}, lines or ["No device is known there."], as_json=as_json)


def hear_fleet(folder: "Path", *, wait_s: float) -> "list[Standing]":
    """Hear the devices of a fleet at its own broker.

    Raises:
        CommandError: nothing is known of its broker.
        BrokerUnavailableError: it cannot be reached.
    """
    from firstline.fleet_broker import broker_of  # noqa: PLC0415 - as above
    from firstline.heard import listen  # noqa: PLC0415

    found, fleet = broker_of(folder), read_roster(folder).fleet
    files = TlsFiles.of(folder / OPERATOR_FOLDER)
    return listen(found.host, found.port, wait_s=wait_s, tls=files, fleet=fleet)
