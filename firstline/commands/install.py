"""`firstline install` and `firstline uninstall`: an agent or a worker as a service of systemd."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline.console import JsonOption, show
from firstline.exits import CommandError, ExitCode
from firstline.places import TLS_PORT, parse_place

if TYPE_CHECKING:
    from firstline.installing.system import Step

_UNKNOWN = "broker.example.org"
_HIDDEN = ("home", "root", "run")  # from a service with ProtectHome=yes, and what a start forgets

RootOption = Annotated[
    Path, typer.Option(metavar="DIR", help="Another system, mounted here: an image, a chroot.")
]
WorkerOption = Annotated[bool, typer.Option("--worker", help="A worker in place of an agent.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Tell only what would be done.")]


def install(  # noqa: PLR0913 - each is an option of the command
    *,
    board: Annotated[
        str, typer.Option(metavar="NAME", help="A profile, in place of this board's own.")
    ] = "",
    broker: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="The fleet's, for settings that are new.")
    ] = _UNKNOWN,
    command: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The command that the service runs.")
    ] = None,
    worker: WorkerOption = False,
    root: RootOption = Path("/"),
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a service of the agent: user, folders, unit, settings for this board. Twice is as once.

    An edited settings file stays as it is. The service starts when you enable it.
    """
    from firstline.installing import files  # noqa: PLC0415 - pydantic, which --help need not have
    from firstline.installing.system import System  # noqa: PLC0415

    host, port = parse_place(broker, TLS_PORT)
    words = {"FIRSTLINE": str(_command(command, root)), "host": host, "port": str(port)}
    name = ""
    if not worker:
        name, profile = _profile(board)
        words |= profile
    system = System(root=_may_write(root, dry=dry_run), dry=dry_run)
    wanted = files.of_worker(words) if worker else files.of_agent(words)
    steps = list(system.install(wanted))
    service = files.WORKER if worker else files.AGENT
    rest = _next(service, name, known=broker != _UNKNOWN)
    _show(steps, rest, {"service": service, "board": name}, as_json=as_json)


def uninstall(
    *,
    purge: Annotated[
        bool, typer.Option("--purge", help="Also settings, keys, and what waits for an answer.")
    ] = False,
    worker: WorkerOption = False,
    root: RootOption = Path("/"),
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop the service and remove it; settings, keys and state stay, unless you say --purge."""
    from firstline.installing import boards, files  # noqa: PLC0415 - as above
    from firstline.installing.system import System  # noqa: PLC0415

    any_board = next(iter(boards.profiles().values()))  # the places are the same for all
    words = {"FIRSTLINE": "", "host": "", "port": "", **any_board.words()}
    wanted = files.of_worker(words) if worker else files.of_agent(words)
    service = files.WORKER if worker else files.AGENT
    system = System(root=_may_write(root, dry=dry_run), dry=dry_run)
    steps = list(system.uninstall(service, wanted, files.data_of(service), purge=purge))
    _show(steps, (), {"service": service}, as_json=as_json)


def _profile(board: str) -> tuple[str, Mapping[str, str]]:
    from firstline.installing import boards  # noqa: PLC0415 - as above

    known = boards.profiles()
    listed = ", ".join(known)
    if board and board not in known:
        raise CommandError(f"no board {board!r}: there is {listed}", ExitCode.USAGE)
    machine = boards.this_machine()
    name = board or boards.choose(known, machine)
    if name is None:
        raise CommandError(
            f"no profile for {machine.model or machine.machine} with {machine.ram_mb:.0f} MB",
            fix=f"firstline install --board NAME, one of {listed}",
        )
    return name, known[name].words()


def _command(given: Path | None, root: Path) -> Path:
    """Which file the service runs; of another system only its owner knows."""
    path = given or Path(sys.executable).parent / "firstline"
    if not path.is_absolute():
        raise CommandError(f"{path} must be an absolute path", ExitCode.USAGE)
    here = root == Path("/") and given is None
    if here and (path.parts[1] in _HIDDEN or not path.exists()):
        raise CommandError(
            f"a service cannot run {path}: home folders are hidden from it",
            fix="sudo python3 -m venv /opt/firstline && "
            "sudo /opt/firstline/bin/pip install 'firstline[device]'",
        )
    return path


def _may_write(root: Path, *, dry: bool) -> Path:
    if not dry and root == Path("/") and os.geteuid() != 0:
        raise CommandError("only root may install a service", fix="sudo firstline install")
    return root.absolute()


def _next(service: str, board: str, *, known: bool) -> Iterable[str]:
    """What is left to do; `known`: the broker was named."""
    yield ""
    settings = "agent.toml" if board else "worker.toml"
    if board:
        yield f"This board is treated as {board}."
    if not known:
        yield f"Next:  edit [broker] in /etc/firstline/{settings}, if you have not"
    if board:
        yield "Next:  sudo firstline join CODE --broker HOST:8884 --keys /etc/firstline/keys"
    else:
        yield "Next:  copy a folder of keys to /var/lib/firstline-worker/keys, for user firstline"
    yield f"Next:  sudo systemctl enable --now {service}"


def _show(
    steps: "list[Step]", rest: Iterable[str], about: Mapping[str, str], *, as_json: bool
) -> None:
    document = {
        **about,
        "steps": [{"what": step.what, "place": step.place} for step in steps],
    }
    lines = [f"{step.what:<10}{step.place}" for step in steps]
    show(document, [*lines, *rest], as_json=as_json)
