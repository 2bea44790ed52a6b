"""`firstline fleet enroll` and `admit`: new devices, by a join code or by a folder to copy."""

import time
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from broker.fleet import invitations, keys
from broker.fleet.admission import Outcome
from broker.fleet.invitations import Invitation
from broker.fleet.mosquitto import LOOPBACK
from broker.fleet.root import Root, open_root
from broker.wire.join_code import JoinCode
from broker.wire.topics import DeviceId, FleetId, PoolId
from firstline.commands.fleet_options import (
    DEFAULT_FLEET,
    DEFAULT_FOLDER,
    DEFAULT_POOL,
    DeviceName,
    FolderOption,
    PlainOption,
    PoolOption,
    workers_rosters,
)
from firstline.console import JsonOption, note, show
from firstline.exits import ExitCode
from firstline.fleet_broker import tell_broker
from firstline.joining.door import Door
from firstline.joining.meeting import Joined, Meeting, let_in, meeting_at
from firstline.passphrases import PassphraseFile, passphrase_of
from firstline.stopping import on_stop

ExpiresOption = Annotated[
    float, typer.Option(min=1.0, max=7 * 86_400.0, help="How long the code is valid.")
]


def enroll(  # noqa: PLR0913 - each is an option of the command
    device: DeviceName,
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    pool: PoolOption = DEFAULT_POOL,
    plain: PlainOption = None,
    expires_s: ExpiresOption = invitations.LIFE_S,
    to_folder: Annotated[
        bool, typer.Option("--folder", help="Make the keys here, in a folder to copy to it.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Print a join code for a device, and let in the board that uses it."""
    passphrase = passphrase_of(folder, passphrase_file)
    if to_folder:
        _make_folder(folder, DeviceId(device), PoolId(pool), passphrase, as_json=as_json)
        return
    root, meeting = open_root(folder, passphrase), meeting_at(folder, plain)
    with Door(root, meeting.address, told=note):
        pass  # the broker is there, and no other door is open: else no code is made
    made, code = invitations.invite(
        root, DeviceId(device), PoolId(pool), now_s=time.time(), life_s=expires_s
    )
    meeting.tell()
    command = _command(code, root.fleet, meeting)
    told: dict[str, object] = {
        "device": device,
        "code": code.shown(),
        "expires_s": made.expires_s,
        "next": command,
    }
    stopped = Event()
    with on_stop(stopped.set):
        show(told, _shown(code, made, command), as_json=as_json)
        joined = _wait_for(root, meeting, made, stopped)
    rosters = workers_rosters(folder)
    document: dict[str, object] = {"device": device, "joined": True, **_told(joined, rosters)}
    lines = [f"{device} has joined.", *_to_copy(rosters), *_warnings(joined)]
    show(document, lines, as_json=as_json)


def admit(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    plain: PlainOption = None,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Let in the boards that use codes which are still valid, until all have or Ctrl-C."""
    root = open_root(folder, passphrase_of(folder, passphrase_file))
    meeting, stopped = meeting_at(folder, plain), Event()

    def wait_on(joined: Joined) -> bool:
        valid = [each for each in invitations.known(folder) if each.is_valid(time.time())]
        # A board that has been let in may have lost the answer, and ask again.
        missing = [each for each in valid if not each.request]
        return not stopped.is_set() and bool(missing if joined.devices else valid)

    if wait_on(Joined()):
        note("Waiting for boards; Ctrl-C ends it, and their codes stay valid.")
    with on_stop(stopped.set):
        meeting.tell()
        joined = let_in(root, meeting, wait_on=wait_on, told=note)
    lines = [f"{name} has joined." for name in joined.devices]
    rosters = workers_rosters(folder) if lines else []
    lines += _to_copy(rosters) or ["Nobody has joined."]
    document: dict[str, object] = {"joined": joined.devices, **_told(joined, rosters)}
    show(document, [*lines, *_warnings(joined)], as_json=as_json)


def _told(joined: Joined, rosters: list[Path]) -> dict[str, object]:
    return {"refused": _refused(joined), "worker_folders": [path.parent for path in rosters]}


def _to_copy(rosters: list[Path]) -> list[str]:
    return [f"Copy to worker: {path}" for path in rosters]


def _wait_for(root: Root, meeting: Meeting, made: Invitation, stopped: Event) -> Joined:
    device = DeviceId(made.device)

    def wait_on(joined: Joined) -> bool:
        is_here = device in joined.devices
        return not is_here and not stopped.is_set() and made.is_valid(time.time())

    joined = let_in(root, meeting, wait_on=wait_on, told=note)
    if device in joined.devices:
        return joined
    if stopped.is_set():
        note("Stopped. The code stays valid: 'firstline fleet admit' lets its board in.")
        raise typer.Exit(ExitCode.INTERRUPTED)
    now = invitations.find(root.folder, made.opened().id)
    if now is not None and now.request:
        raise TimeoutError(
            f"{device} is in the fleet, and its board did not hear so before the code ended: "
            f"'firstline fleet revoke {device}', then enrol it by another name"
        )
    raise TimeoutError(f"no board used the code of {device}; it is void now")


def _make_folder(
    folder: Path, device: DeviceId, pool: PoolId, passphrase: str | None, *, as_json: bool
) -> None:
    made = keys.enroll(folder, device, pool, now_s=time.time(), passphrase=passphrase)
    told = tell_broker(folder)
    following = "firstline agent run --settings agent.toml"
    document: dict[str, object] = {
        "device": made.device,
        "pool": made.pool,
        "new_pool": made.new_pool,
        "device_key": made.device_key,
        "roster_version": made.roster_version,
        "device_folder": made.device_folder,
        "worker_folder": made.worker_folder,
        "broker": told,
        "next": following,
    }
    new = ", which is new" if made.new_pool else ""
    lines = (
        f"Enrolled {made.device!r}; it asks the pool {made.pool!r}{new}.",
        told,
        f"Copy to device: {made.device_folder}  (the settings' [agent] credentials)",
        f"Copy to worker: {made.worker_folder}  (again: its roster has changed)",
        f"Next, there:    {following}",
    )
    show(document, lines, as_json=as_json)


def _shown(code: JoinCode, made: Invitation, command: str) -> tuple[str, ...]:
    until = datetime.fromtimestamp(made.expires_s).astimezone().strftime("%H:%M:%S")
    here = f" {LOOPBACK}:" in command
    return (
        f"Code for {made.device!r}, valid once, until {until}:",
        "",
        f"    {code.shown()}",
        "",
        f"Type on the board:  {command}",
        *((f"(elsewhere, the broker's own address in place of {LOOPBACK})",) if here else ()),
        "Waiting for it; Ctrl-C leaves the code valid.",
    )


def _command(code: JoinCode, fleet: FleetId, meeting: Meeting) -> str:
    named = "" if fleet == DEFAULT_FLEET else f" --fleet {fleet}"
    return f"firstline join {code.shown()} {meeting.typed}{named}"


def _refused(joined: Joined) -> dict[str, int]:
    """What came and let nobody in, by reason."""
    in_vain = (Outcome.USED, Outcome.EXPIRED, Outcome.UNREADABLE, Outcome.UNKNOWN)
    return {outcome.value: joined.seen[outcome] for outcome in in_vain if joined.seen[outcome]}


def _warnings(joined: Joined) -> list[str]:
    return [f"Refused, {why}: {count}" for why, count in _refused(joined).items()]
