"""`firstline broker`: mosquitto with our safe settings, on this machine."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from broker.fleet.mosquitto import LOOPBACK, RunningBroker, running_broker
from firstline.commands import noun
from firstline.console import JsonOption, show
from firstline.exits import CommandError
from firstline.stopping import on_stop

_LOOK_S = 0.5  # how often we look whether mosquitto still runs

app = noun("The broker between them: start mosquitto with safe settings.")


@app.command()
def up(
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 0,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where it keeps its state.")
    ] = Path("run/broker"),
    bind: Annotated[str, typer.Option(metavar="ADDRESS", help="Where it listens.")] = LOOPBACK,
    as_json: JsonOption = False,
) -> None:
    """Start mosquitto and run it until Ctrl-C."""
    stopped = Event()
    with on_stop(stopped.set), running_broker(folder, port=port, bind=bind) as running:
        document: dict[str, object] = {
            "host": running.host,
            "port": running.port,
            "pid": running.pid,
            "folder": folder,
        }
        lines = (
            f"mosquitto listens on {running.host}:{running.port}; Ctrl-C ends it.",
            "For the settings of an agent or a worker:",
            "  [broker]",
            f'  host = "{running.host}"',
            f"  port = {running.port}",
        )
        show(document, lines, as_json=as_json)
        _watch(running, stopped, folder / "mosquitto.log")


def _watch(running: RunningBroker, stopped: Event, log: Path) -> None:
    while not stopped.wait(_LOOK_S):
        with suppress(ChildProcessError):
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT  # look, and leave it to its owner
            if os.waitid(os.P_PID, running.pid, options) is not None:
                raise CommandError(f"mosquitto has ended by itself: see {log}")
