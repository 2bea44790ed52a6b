"""`firstline fleet`: make a fleet, add pools and devices to it.

init DIR       -> root key, authority for TLS, a first pool
hosts HOST...  -> the broker's certificate anew
enroll DEVICE  -> a join code, and the answer to the board that uses it; or a folder of keys
admit          -> answers to boards that use a code later
worker NAME    -> a folder of keys for one more worker of a pool
revoke DEVICE  -> a roster without it
list           -> who is in the fleet, and until when its pools have keys
renew          -> new keys of devices that ask for them
rotate         -> the next keys of the pools
publish        -> the pools' keys, for every device at the broker
serve          -> releases at the broker, and what it cannot hold on request
status         -> what the devices say of themselves on the broker
release        -> a model package for the boards of a group
rollout ...    -> what becomes of releases: see fleet_rollout
signing ...    -> whose keys sign releases: see fleet_signing
exporter       -> a folder of keys for who watches the fleet
metrics        -> the same for Prometheus
"""

import socket
import time
from pathlib import Path
from typing import Annotated

import typer

from broker.fleet import keys, pools
from broker.fleet.authority import certify_broker
from broker.fleet.certificates import LOCAL_HOSTS, is_host
from broker.fleet.folder import locked
from broker.fleet.root import open_root
from broker.wire.topics import FleetId, PoolId
from firstline.commands import noun
from firstline.commands.fleet_devices import list_fleet, revoke
from firstline.commands.fleet_enroll import admit, enroll
from firstline.commands.fleet_keys import publish, rotate
from firstline.commands.fleet_metrics import exporter, metrics
from firstline.commands.fleet_options import (
    DEFAULT_FLEET,
    DEFAULT_FOLDER,
    DEFAULT_POOL,
    FleetOption,
    FolderOption,
    PoolOption,
)
from firstline.commands.fleet_release import release
from firstline.commands.fleet_renew import renew
from firstline.commands.fleet_rollout import app as rollout
from firstline.commands.fleet_serve import serve
from firstline.commands.fleet_signing import app as signing
from firstline.commands.fleet_status import status
from firstline.commands.fleet_workers import worker
from firstline.console import JsonOption, note, show
from firstline.passphrases import PassphraseFile, new_passphrase, passphrase_of

HostsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST",
        help="A name or address of its broker, if not of this machine; again for more.",
    ),
]

app = noun("The operator's side: make a fleet, enrol devices.")

app.command()(enroll)
app.command()(admit)
app.command()(worker)
app.command()(revoke)
app.command()(renew)
app.command()(rotate)
app.command()(publish)
app.command("list")(list_fleet)
app.command()(serve)
app.command()(status)
app.command()(release)
app.add_typer(rollout, name="rollout")
app.add_typer(signing, name="signing")
app.command()(exporter)
app.command()(metrics)


@app.command()
def init(  # noqa: PLR0913 - each is an option of the command
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the fleet's keys will lie.")],
    *,
    fleet: FleetOption = DEFAULT_FLEET,
    pool: PoolOption = DEFAULT_POOL,
    host: HostsOption = None,
    passphrase_file: PassphraseFile = None,
    no_passphrase: Annotated[bool, typer.Option(help="Leave the keys unlocked.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a fleet with one pool of workers."""
    passphrase = None if no_passphrase else new_passphrase(passphrase_file)
    every = (*LOCAL_HOSTS, *(host or own_names()))
    made = keys.init(folder, FleetId(fleet), hosts=every, passphrase=passphrase)
    pools.add(folder, PoolId(pool), now_s=time.time(), passphrase=passphrase)
    if passphrase is None:
        note(f"{made.root_key} is not locked: whoever reads it can add devices.")
    workers = pools.worker_folder(folder, PoolId(pool))
    following = f"firstline fleet enroll DEVICE --dir {folder} --pool {pool}"
    document: dict[str, object] = {
        "fleet": made.fleet,
        "folder": made.folder,
        "root_key": made.root_key,
        "locked": passphrase is not None,
        "broker_hosts": every,
        "pool": pool,
        "worker_folder": workers,
        "next": following,
    }
    lines = (
        f"Made the fleet {made.fleet!r} in {made.folder}.",
        f"Keep secret:    {made.root_key}  (whoever has it can add devices)",
        f"Broker's names: {', '.join(every)}",
        f"Copy to worker: {workers}  (the settings' [worker] credentials)",
        f"Its broker:     firstline broker up --fleet {folder}",
        f"Next:           {following}",
    )
    show(document, lines, as_json=as_json)


@app.command()
def hosts(
    host: Annotated[
        list[str], typer.Argument(metavar="HOST...", help="Names and addresses of the broker.")
    ],
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make the broker's certificate anew, for the names and addresses that it is reached by."""
    root = open_root(folder, passphrase_of(folder, passphrase_file))
    every = (*LOCAL_HOSTS, *host)
    with locked(folder):
        certify_broker(root.authority(), folder, every)
    following = "firstline broker up"
    lines = (
        f"The broker's certificate is for: {', '.join(every)}",
        f"Start it again:  {following}  (or 'firstline broker config', where it runs elsewhere)",
    )
    show({"broker_hosts": every, "next": following}, lines, as_json=as_json)


def own_names() -> tuple[str, ...]:
    """What this machine calls itself, where a certificate can say it."""
    name = socket.gethostname()
    return (name,) if is_host(name) else ()
