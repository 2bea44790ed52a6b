"""`firstline fleet serve`: releases at the broker, and what it cannot hold on request."""

import time
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from firstline import console
from firstline.commands.fleet_options import DEFAULT_FOLDER, FolderOption, PlainOption
from firstline.console import JsonOption
from firstline.passphrases import PassphraseFile, passphrase_of
from firstline.stopping import on_stop

if TYPE_CHECKING:
    from broker.fleet.releases.publish import Filled

_MIB = 1024 * 1024


def serve(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    plain: PlainOption = None,
    retain_mb: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=16_384,
            help="MiB of releases that the broker holds, from now on; 64 at first.",
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Keep releases at the broker, serve what it cannot hold, let waves go on, until Ctrl-C."""
    from broker.fleet.releases.outlet import Outlet  # noqa: PLC0415 - the other verbs need no MQTT
    from broker.fleet.releases.publish import keep_budget  # noqa: PLC0415
    from broker.fleet.releases.serve import Budget, Server  # noqa: PLC0415
    from firstline.rolling.following import Following, subscriptions  # noqa: PLC0415
    from firstline.rolling.opening import steward_of  # noqa: PLC0415
    from firstline.serving import alone, server_address  # noqa: PLC0415

    steward = steward_of(folder)
    address = server_address(
        folder,
        plain,
        passphrase=lambda: passphrase_of(folder, passphrase_file),
        told=console.note,
    )
    stop = Event()
    with (
        alone(folder),
        on_stop(stop.set),
        Outlet(address, subscriptions=subscriptions(steward), aside=steward.hear) as outlet,
    ):
        following = Following(steward, outlet)

        def stopped() -> bool:
            for words in following.look():
                console.show({"rollout": words}, [words], as_json=as_json)
            return stop.is_set()

        if retain_mb is not None:
            keep_budget(folder, retain_mb * _MIB)
        filled = partial(_tell_filled, as_json=as_json)
        server = Server(outlet, steward.releases, budget=Budget(), filled=filled)
        server.run(stopped)
    counted = dict(server.counters + server.requests.counters + steward.reports.counters)
    lines = [f"{name}  {count}" for name, count in sorted(counted.items())]
    console.show({"counters": counted}, lines, as_json=as_json)


def _tell_filled(done: "Filled", *, as_json: bool) -> None:
    document = {
        "published": done.published,
        "published_bytes": done.published_bytes,
        "withdrawn": done.withdrawn,
        "retained": len(done.retained),
        "on_request": done.on_request,
    }
    line = (
        f"{time.strftime('%H:%M:%S')}  {done.published} blocks published, {done.withdrawn} "
        f"withdrawn; the broker holds {len(done.retained)}, {done.on_request} on request"
    )
    console.show({"filled": document}, [line], as_json=as_json)
