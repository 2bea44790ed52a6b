"""`firstline fleet renew`: the operator's answer to the devices that ask for new keys."""

from threading import Event
from typing import Annotated

import typer

from broker.fleet.renewing import Outcome
from broker.fleet.root import open_root
from firstline.commands.fleet_options import (
    DEFAULT_FOLDER,
    FolderOption,
    PlainOption,
    workers_rosters,
)
from firstline.console import JsonOption, show
from firstline.passphrases import PassphraseFile, passphrase_of
from firstline.stopping import on_stop

_SAID = {
    Outcome.RENEWED: "has new keys",
    Outcome.REPEATED: "has the keys that it was given before",
    Outcome.STRANGER: "is not in the fleet: not answered",
    Outcome.FORGED: "did not prove that it has its newest key: not answered",
}


def renew(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    plain: PlainOption = None,
    wait_s: Annotated[float, typer.Option(min=0.1, help="How long to listen for requests.")] = 5.0,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give the devices that ask new keys: those whose requests wait, and who asks meanwhile."""
    from firstline.granting import grant_all  # noqa: PLC0415 - the other verbs need no MQTT
    from firstline.joining.meeting import meeting_at  # noqa: PLC0415

    root = open_root(folder, passphrase_of(folder, passphrase_file))
    meeting = meeting_at(folder, plain)
    stop = Event()
    with on_stop(stop.set):
        found = grant_all(root, meeting.address, wait_s=wait_s, stopped=stop.is_set)
    rosters = workers_rosters(folder)
    document: dict[str, object] = {
        "devices": {device: outcome.value for device, outcome in sorted(found.items())},
        "worker_folders": [path.parent for path in rosters],
    }
    lines = [f"{device} {_SAID[outcome]}." for device, outcome in sorted(found.items())]
    if Outcome.RENEWED in found.values():
        lines += [f"Copy to worker: {path}" for path in rosters]
    show(document, lines or ["No device asks."], as_json=as_json)
