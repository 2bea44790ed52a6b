"""`firstline fleet`: make a fleet, add pools and devices to it.

init DIR      -> root key, a first pool
enroll DEVICE -> a folder of keys for the device, a roster that every worker of the pool sees
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from broker.fleet import keys, pools
from broker.wire.topics import DeviceId, FleetId, PoolId
from firstline.commands import noun
from firstline.console import JsonOption, show

DEFAULT_FOLDER = Path("fleet")
DEFAULT_FLEET = "home"
DEFAULT_POOL = "cloud"

app = noun("The operator's side: make a fleet, enrol devices.")

PoolOption = Annotated[str, typer.Option(metavar="NAME", help="The pool of workers it asks.")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the fleet's keys will lie.")],
    *,
    fleet: Annotated[str, typer.Option(metavar="NAME", help="The fleet's name.")] = DEFAULT_FLEET,
    pool: PoolOption = DEFAULT_POOL,
    as_json: JsonOption = False,
) -> None:
    """Make a fleet with one pool of workers."""
    made = keys.init(folder, FleetId(fleet))
    pools.add(folder, PoolId(pool), now_s=time.time())
    workers = pools.worker_folder(folder, PoolId(pool))
    following = f"firstline fleet enroll DEVICE --dir {folder} --pool {pool}"
    document: dict[str, object] = {
        "fleet": made.fleet,
        "folder": made.folder,
        "root_key": made.root_key,
        "pool": pool,
        "worker_folder": workers,
        "next": following,
    }
    lines = (
        f"Made the fleet {made.fleet!r} in {made.folder}.",
        f"Keep secret:    {made.root_key}  (whoever has it can add devices)",
        f"Copy to worker: {workers}  (the settings' [worker] credentials)",
        f"Next:           {following}",
    )
    show(document, lines, as_json=as_json)


@app.command()
def enroll(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its name.")],
    *,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="The fleet's folder.")
    ] = DEFAULT_FOLDER,
    pool: PoolOption = DEFAULT_POOL,
    as_json: JsonOption = False,
) -> None:
    """Make the keys of a device and tell the workers of it."""
    made = keys.enroll(folder, DeviceId(device), PoolId(pool), now_s=time.time())
    following = "firstline agent run --settings agent.toml"
    document: dict[str, object] = {
        "device": made.device,
        "pool": made.pool,
        "new_pool": made.new_pool,
        "device_key": made.device_key,
        "roster_version": made.roster_version,
        "device_folder": made.device_folder,
        "worker_folder": made.worker_folder,
        "next": following,
    }
    new = ", which is new" if made.new_pool else ""
    lines = (
        f"Enrolled {made.device!r}; it asks the pool {made.pool!r}{new}.",
        f"Copy to device: {made.device_folder}  (the settings' [agent] credentials)",
        f"Copy to worker: {made.worker_folder}  (again: its roster has changed)",
        f"Next, there:    {following}",
    )
    show(document, lines, as_json=as_json)
