"""`firstline fleet list` and `revoke`: who is in a fleet, and who no longer."""

from typing import Annotated

import typer

from broker.fleet import devices
from broker.fleet.devices import Listed
from broker.fleet.handing import pools, read_bundle
from broker.fleet.root import open_root
from broker.wire.topics import DeviceId
from firstline.commands.fleet_options import (
    DEFAULT_FOLDER,
    DeviceName,
    FolderOption,
    workers_rosters,
)
from firstline.commands.fleet_status import hear_fleet
from firstline.console import JsonOption, columns, show
from firstline.dates import day
from firstline.passphrases import PassphraseFile, passphrase_of

_HEADING = ("device", "pool", "since", "certificate until", "state", "online")


_ONLINE_S = 0.5  # the broker keeps what a device told last, and tells it at once


def list_fleet(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    online: Annotated[bool, typer.Option(help="Ask the broker who is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show every pool and device of a fleet, without its passphrase."""
    found = devices.list_devices(folder)
    heard = hear_fleet(folder, wait_s=_ONLINE_S) if online else []
    there = {each.device for each in heard if each.online}
    document: dict[str, object] = {
        "fleet": found.fleet,
        "roster_version": found.roster_version,
        "devices": [
            _document(each) | ({"online": each.device in there} if online else {})
            for each in found.listed
        ],
    }
    bundles = [read_bundle(folder, pool) for pool in pools(folder)]
    document["pools"] = [
        {"pool": each.pool, "version": each.version, "ends_s": each.ends_s} for each in bundles
    ]
    lines = [f"The fleet {found.fleet!r}, version {found.roster_version} of its roster."]
    lines += [
        f"The pool {each.pool!r}, version {each.version} of its keys, has some until "
        f"{day(each.ends_s)}."
        for each in bundles
    ]
    if found.listed:
        rows = [(*_row(each), "yes" if each.device in there else "no") for each in found.listed]
        width = len(_HEADING) if online else len(_HEADING) - 1
        lines += columns([row[:width] for row in (_HEADING, *rows)])
    else:
        lines.append("It has no device.")
    show(document, lines, as_json=as_json)


def revoke(
    device: DeviceName,
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Throw a device out: from a second after they have the new roster, no worker serves it."""
    from firstline.fleet_broker import tell_broker  # noqa: PLC0415 - the others need no MQTT

    root = open_root(folder, passphrase_of(folder, passphrase_file))
    version = devices.revoke(root, DeviceId(device))
    told = tell_broker(folder)
    rosters = workers_rosters(folder)
    document: dict[str, object] = {
        "device": device,
        "roster_version": version,
        "worker_folders": [path.parent for path in rosters],
        "broker": told,
    }
    lines = (
        f"Revoked {device!r}. Its name stays taken.",
        told,
        *(f"Copy to worker: {path}" for path in rosters),
    )
    show(document, lines, as_json=as_json)


def _document(listed: Listed) -> dict[str, object]:
    record = listed.record
    return {
        "device": listed.device,
        "revoked": listed.revoked,
        "pool": record and record.pool,
        "since_s": record and record.since_s,
        "certificate_end_s": record and record.certificate_end_s,
    }


def _row(listed: Listed) -> tuple[str, ...]:
    record, state = listed.record, "revoked" if listed.revoked else "enrolled"
    if record is None:
        return (listed.device, "?", "?", "?", state)
    return (listed.device, record.pool, day(record.since_s), day(record.certificate_end_s), state)
