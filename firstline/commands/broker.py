"""`firstline broker`: a fleet's mosquitto, on this machine or, by its files, on another.

up DIR     -> mosquitto, with TLS and access rules where there is a fleet
config DIR -> the same as files, for a mosquitto that somebody else starts
rules      -> a running broker knows who is in the fleet now
"""

import os
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from broker.fleet import guard, where
from broker.fleet.control import bring_into_line
from broker.fleet.members import members_of
from broker.fleet.mosquitto import LOG, LOOPBACK, RunningBroker, running_broker
from broker.fleet.settings import ACCESS_RULES, CONFIG, Listeners
from broker.fleet.where import Where
from firstline.commands import noun
from firstline.commands.fleet_options import DEFAULT_FOLDER
from firstline.console import JsonOption, show
from firstline.exits import CommandError, ExitCode
from firstline.fleet_broker import broker_of
from firstline.places import JOIN_PORT, TLS_PORT
from firstline.stopping import on_stop

_LOOK_S = 0.5  # how often we look whether mosquitto still runs

app = noun("The broker between them: start mosquitto with safe settings, or write them.")

FleetOption = Annotated[
    Path | None, typer.Option("--fleet", metavar="DIR", help="The fleet's folder. [fleet]")
]
BindOption = Annotated[str, typer.Option(metavar="ADDRESS", help="Where it listens.")]
PortOption = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="0 takes a free one. [8883; a free one with --plain]"),
]
JoinPortOption = Annotated[
    int, typer.Option(min=0, max=65_535, help="For boards that join; 0 takes a free one.")
]


@app.command()
def up(  # noqa: PLR0913 - each is an option of the command
    *,
    fleet: FleetOption = None,
    plain: Annotated[bool, typer.Option(help="Without TLS, access rules and passwords.")] = False,
    port: PortOption = None,
    join_port: JoinPortOption = JOIN_PORT,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where it keeps its state.")
    ] = Path("run/broker"),
    bind: BindOption = LOOPBACK,
    as_json: JsonOption = False,
) -> None:
    """Start a fleet's mosquitto and run it until Ctrl-C."""
    stopped, guarded = Event(), _guarded_fleet(fleet, plain=plain)
    if guarded is None and not plain and not ip_address(bind).is_loopback:
        raise CommandError(
            "without TLS only for this machine: make a fleet, or say --plain",
            ExitCode.USAGE,
            fix="firstline fleet init fleet",
        )
    with on_stop(stopped.set), _broker(guarded, folder, bind, port, join_port) as running:
        if guarded is not None:
            where.keep(guarded, Where(_reached(bind), running.port, running.join_port))
        _tell(running, guarded, folder, as_json=as_json)
        _watch(running, stopped, folder / LOG)


@app.command()
def config(  # noqa: PLR0913 - each is an option of the command
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files will lie.")],
    *,
    fleet: FleetOption = None,
    host: Annotated[str, typer.Option(help="The name by which the broker is reached.")] = LOOPBACK,
    port: Annotated[int, typer.Option(min=1, max=65_535)] = TLS_PORT,
    join_port: Annotated[int, typer.Option(min=1, max=65_535)] = JOIN_PORT,
    bind: BindOption = "0.0.0.0",  # noqa: S104 - nobody is let in without a certificate
    at: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the folder lies on its machine.")
    ] = None,
    plugin: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"{guard.PLUGIN} on its machine.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that a fleet's mosquitto needs, for a service or a container to start."""
    fleet = fleet or DEFAULT_FOLDER
    listeners = Listeners(bind, port, join_port)
    path = guard.write_guarded(
        fleet, folder, listeners, plugin=plugin or guard.find_plugin(), at=at
    )
    where.keep(fleet, Where(host, port, join_port))
    start = f"mosquitto -c {(at or folder.resolve()) / CONFIG}"
    document: dict[str, object] = {
        "folder": folder,
        "config": path,
        "access_rules": folder / ACCESS_RULES,
        "host": host,
        "port": port,
        "join_port": join_port,
        "next": start,
    }
    lines = (
        f"Wrote a broker for the fleet in {fleet} to {folder}.",
        f"Keep secret: {folder}  (give it to the user that mosquitto runs as, nobody else)",
        f"Start it:    {start}",
        f"When the fleet has changed: firstline broker rules --fleet {fleet}",
    )
    show(document, lines, as_json=as_json)


@app.command()
def rules(
    *,
    fleet: FleetOption = None,
    host: Annotated[str | None, typer.Option(help="[where it was last]")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="[as the host]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Have a running broker know who is in the fleet now; who was thrown out is cut off."""
    fleet = fleet or DEFAULT_FOLDER
    if host is None or port is None:
        found = broker_of(fleet)
        host, port = host or found.host, port or found.port
    changes = bring_into_line(fleet, members_of(fleet), host=host, port=port)
    document = {"host": host, "port": port, **asdict(changes)}
    show(document, [f"{host}:{port}: {changes}."], as_json=as_json)


def _guarded_fleet(fleet: Path | None, *, plain: bool) -> Path | None:
    """The fleet whose broker is to run; None: a broker without TLS."""
    if plain and fleet is not None:
        raise CommandError("--plain needs no --fleet: leave one out", ExitCode.USAGE)
    if plain or (fleet is None and not guard.has_authority(DEFAULT_FOLDER)):
        return None
    return fleet or DEFAULT_FOLDER


def _broker(
    fleet: Path | None, folder: Path, bind: str, port: int | None, join_port: int
) -> AbstractContextManager[RunningBroker]:
    if fleet is not None:
        listeners = Listeners(bind, TLS_PORT if port is None else port, join_port)
        return guard.guarded_broker(fleet, folder, listeners)
    return running_broker(folder, port=port or 0, bind=bind)


def _tell(running: RunningBroker, fleet: Path | None, folder: Path, *, as_json: bool) -> None:
    tls = fleet is not None
    document: dict[str, object] = {
        "host": running.host,
        "port": running.port,
        "join_port": running.join_port or None,
        "tls": tls,
        "pid": running.pid,
        "folder": folder,
    }
    safe = "TLS and access rules" if tls else "no TLS and no access rules: whoever reaches it is in"
    lines = (
        f"mosquitto listens on {running.host}:{running.port}, with {safe}; Ctrl-C ends it.",
        *((f"Boards that join come to port {running.join_port}.",) if tls else ()),
        "For the settings of an agent or a worker:",
        "  [broker]",
        f'  host = "{_reached(running.host)}"',
        f"  port = {running.port}",
        *(("  tls = true",) if tls else ()),
    )
    show(document, lines, as_json=as_json)


def _reached(bind: str) -> str:
    """An address at which this machine reaches what listens there."""
    with suppress(ValueError):
        if ip_address(bind).is_unspecified:
            return LOOPBACK
    return bind


def _watch(running: RunningBroker, stopped: Event, log: Path) -> None:
    while not stopped.wait(_LOOK_S):
        with suppress(ChildProcessError):
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT  # look, and leave it to its owner
            if os.waitid(os.P_PID, running.pid, options) is not None:
                raise CommandError(f"mosquitto has ended by itself: see {log}")
