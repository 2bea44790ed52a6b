"""`firstline fleet rotate` and `publish`: the keys of a fleet's pools over time.

rotate        more epochs behind the last one      -> workers' and devices' folders
rotate --now  every key is given up: a theft       -> the same
publish       the signed bundles, retained         -> broker -> devices
"""

import time
from typing import Annotated

import typer

from broker.fleet import where
from broker.fleet.authority import OPERATOR_FOLDER
from broker.fleet.epochs import DAY_S, MOST_EPOCHS, EpochPlan, Rotation, extend, plan_of, renew
from broker.fleet.folder import locked
from broker.fleet.handing import pool_folder, pools, read_bundle, workers_of
from broker.fleet.mosquitto import LOOPBACK
from broker.fleet.renewing import drop_old_keys
from broker.fleet.root import Root, open_root
from broker.wire import topics
from broker.wire.credentials import BUNDLE
from broker.wire.session import Message
from broker.wire.tls import TlsFiles
from broker.wire.topics import FleetId, PoolId
from firstline.commands.fleet_options import DEFAULT_FOLDER, FolderOption
from firstline.console import JsonOption, show
from firstline.dates import day
from firstline.exits import CommandError, ExitCode
from firstline.passphrases import PassphraseFile, passphrase_of
from firstline.places import PLAIN_PORT

PoolsOption = Annotated[
    str | None, typer.Option("--pool", metavar="NAME", help="This pool only; else every one.")
]


def rotate(  # noqa: PLR0913 - each is an option of the command
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    pool: PoolsOption = None,
    now: Annotated[
        bool, typer.Option("--now", help="Give up every key that there is: somebody may have them.")
    ] = False,
    days: Annotated[
        float | None,
        typer.Option(min=0, help="How long to make keys in advance; 30 at first."),
    ] = None,
    epoch_s: Annotated[
        int | None, typer.Option(min=1, help="For how long one is sealed to; 86400 at first.")
    ] = None,
    grace_s: Annotated[
        int | None, typer.Option(min=0, help="For how long it opens after that; 3600 at first.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make the next keys of the pools; workers delete each private key when it is over."""
    root = open_root(folder, passphrase_of(folder, passphrase_file))
    with locked(folder):
        chosen = [PoolId(pool)] if pool else pools(folder)
        made = []
        for name in chosen:
            plan = _planned(plan_of(folder, name), days, epoch_s, grace_s)
            step = renew if now else extend
            made.append(step(root, name, plan, now_s=time.time()))
        dropped = drop_old_keys(root, now_s=time.time())
    following = f"firstline fleet publish --dir {folder}"
    document: dict[str, object] = {
        "pools": [_document(root, each) for each in made],
        "old_keys_dropped": dropped,
        "next": following,
    }
    lines = [line for each in made for line in _lines(root, each)]
    lines += [f"{device} can no longer use the key that it had before." for device in dropped]
    show(document, [*lines, f"Then:           {following}"], as_json=as_json)


def publish(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    host: Annotated[str | None, typer.Option(help="A broker without TLS.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    as_json: JsonOption = False,
) -> None:
    """Give devices the keys of their pools and releases of today, by the broker; no passphrase."""
    from firstline import publishing  # noqa: PLC0415 - the other verbs need no MQTT
    from firstline.rolling.dating import dated  # noqa: PLC0415 - nor TUF

    bundles = {pool: read_bundle(folder, pool) for pool in pools(folder)}
    messages = [
        Message(
            topics.pool_keys(FleetId(bundle.fleet), pool),
            (pool_folder(folder, pool) / BUNDLE).read_bytes(),
            retain=True,
        )
        for pool, bundle in bundles.items()
    ]
    release = dated(folder, now_s=time.time())
    found = where.known(folder)
    if host is None and port is None and found is not None:
        host, port, tls = found.host, found.port, TlsFiles.of(folder / OPERATOR_FOLDER)
    else:
        host, port, tls = host or LOOPBACK, port or PLAIN_PORT, None
    publishing.publish(host, port, [*messages, *release.messages], tls=tls)
    release.forget()
    document: dict[str, object] = {
        "broker": f"{host}:{port}",
        "pools": {pool: bundle.version for pool, bundle in bundles.items()},
        "releases_until_s": release.ends_s,
    }
    lines = [f"Published key bundle {each.version} of {pool!r}." for pool, each in bundles.items()]
    if release.ends_s is not None:
        lines.append(f"Releases are dated today, and hold until {day(release.ends_s)}.")
    show(document, lines or ["There is no pool."], as_json=as_json)


def _planned(
    plan: EpochPlan, days: float | None, epoch_s: int | None, grace_s: int | None
) -> EpochPlan:
    epoch_s = epoch_s or plan.epoch_s
    lasts_s = plan.lasts_s if days is None else days * DAY_S
    epochs = max(1, round(lasts_s / epoch_s))
    if epochs > MOST_EPOCHS:
        raise CommandError(
            f"{epochs} epochs do not fit into one bundle, which holds {MOST_EPOCHS}: "
            "choose fewer --days, or a longer --epoch-s",
            ExitCode.USAGE,
        )
    grace_s = plan.grace_s if grace_s is None else grace_s
    return EpochPlan(epoch_s=epoch_s, grace_s=grace_s, epochs=epochs)


def _document(root: Root, made: Rotation) -> dict[str, object]:
    return {
        "pool": made.pool,
        "version": made.version,
        "added": made.added,
        "epochs": made.epochs,
        "ends_s": made.ends_s,
        "worker_folders": workers_of(root.folder, made.pool),
    }


def _lines(root: Root, made: Rotation) -> list[str]:
    what = f"{made.added} new epochs" if made.added else "nothing new"
    return [
        f"Pool {made.pool!r}: {what}, {made.epochs} in all, until {day(made.ends_s)}.",
        *(f"Copy to worker: {path}" for path in workers_of(root.folder, made.pool)),
    ]
