"""`firstline fleet worker`: one more worker of a pool, with a name of its own at the broker."""

import time
from typing import Annotated

import typer

from broker.fleet import pools
from broker.fleet.root import open_root
from broker.wire.topics import PoolId, WorkerId
from firstline.commands.fleet_options import DEFAULT_FOLDER, DEFAULT_POOL, FolderOption
from firstline.console import JsonOption, show
from firstline.passphrases import PassphraseFile, passphrase_of


def worker(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name within the pool.")],
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    pool: Annotated[str, typer.Option(metavar="NAME", help="Its pool.")] = DEFAULT_POOL,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make the folder of one more worker of a pool. Two workers never run from one folder."""
    from firstline.fleet_broker import tell_broker  # noqa: PLC0415 - the others need no MQTT

    root = open_root(folder, passphrase_of(folder, passphrase_file))
    made = pools.add_worker(root, PoolId(pool), WorkerId(name), now_s=time.time())
    told = tell_broker(folder)
    document: dict[str, object] = {
        "worker": name,
        "pool": pool,
        "worker_folder": made,
        "broker": told,
    }
    lines = (
        f"Made the worker {name!r} of the pool {pool!r}.",
        told,
        f"Copy to worker: {made}  (the settings' [worker] credentials)",
        "Next, there:    firstline worker run --settings worker.toml",
    )
    show(document, lines, as_json=as_json)
