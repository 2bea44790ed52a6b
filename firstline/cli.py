"""The command line: finds the command, runs it, turns its errors into messages and exit codes.

    firstline NOUN VERB --> stub --load--> firstline.commands.NOUN --> exit code

Every command is a stub with a line of help until it is called, so `firstline --help` imports
neither an engine nor pydantic, MQTT or cryptography.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from firstline import console
from firstline.exits import CommandError, ExitCode

# Command -> where it is, what it does.
_COMMANDS = {
    "demo": ("demo:demo", "Show the whole idea on this machine in a minute."),
    "ask": ("ask:ask", "Ask one question and wait for the answer."),
    "mask": ("mask:mask", "Print exactly what would leave the device, and why."),
    "agent": ("agent:app", "The device: run the agent."),
    "worker": ("worker:app", "The cloud: run a worker."),
    "broker": ("broker:app", "The broker between them: start mosquitto with safe settings."),
    "fleet": ("fleet:app", "The operator's side: make a fleet, enrol devices."),
    "join": ("join:join", "The board: become a device of a fleet, with a code of its operator."),
    "renew": ("renew:renew", "The board: new keys, granted to who has the old ones."),
    "model": ("model:app", "Model packages: list, show, pull, pack and calibrate your own."),
    "gate": ("gate:app", "The gate: what a bound on error or on questions asked costs."),
    "config": ("config:app", "Settings files: check, show, every key."),
    "install": ("install:install", "Make a service of an agent or a worker on this machine."),
    "uninstall": ("install:uninstall", "Remove such a service."),
    "status": ("status:status", "What the agent on this board does now."),
    "doctor": ("doctor:doctor", "Check this machine, each finding with its fix."),
    "bench": ("bench:bench", "Measure the round trip, the footprint, the gate."),
    "exit-codes": ("exit_codes:exit_codes", "List the exit codes."),
}
# Module -> the extra that brings it.
_EXTRAS = {
    "httpx": "worker",
    "httpx2": "pull",
    "huggingface_hub": "pull",
    "numpy": "device",
    "onnxruntime": "device",
    "prometheus_client": "fleet",
    "rich": "fleet",
    "securesystemslib": "fleet",
    "tuf": "fleet",
    "watchdog": "device",
}
_PLAIN = {"rich_markup_mode": None, "add_completion": False, "pretty_exceptions_enable": False}


class Stub(TyperCommand):
    """A command that is not imported yet."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self._target = target

    def load(self) -> TyperCommand | TyperGroup:
        """Import the command.

        Raises:
            ModuleNotFoundError: it needs a package that is not installed.
        """
        module, attribute = self._target.split(":")
        found = getattr(import_module(f"firstline.commands.{module}"), attribute)
        if isinstance(found, typer.Typer):
            found.rich_markup_mode = None  # rich would cost as much as all the rest
            return get_command(found)  # type: ignore[return-value] # typer's own base class
        alone = typer.Typer(**_PLAIN)  # type: ignore[arg-type] # a table of keywords
        alone.command(self.name)(found)
        return get_command(alone)  # type: ignore[return-value] # typer's own base class


class LazyGroup(TyperGroup):
    """All commands by name; the one that is called is imported."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(**settings)
        for name, (target, summary) in _COMMANDS.items():
            self.add_command(Stub(name, target, summary))

    def resolve_command(
        self,
        ctx: Any,  # noqa: ANN401 - typer's own class is private
        args: list[str],
    ) -> tuple[str | None, Any, list[str]]:
        """See TyperGroup."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Stub) else command, rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in (words[: words.index("--")] if "--" in words else words)
    try:
        code = get_command(_root()).main(words, prog_name="firstline", standalone_mode=False)
    except TyperException as error:
        return _usage(error, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the outermost place: told, never a traceback
        return console.tell(_translated(error), as_json=as_json)
    return code if isinstance(code, int) else ExitCode.OK


def _root() -> typer.Typer:
    root = typer.Typer(
        cls=LazyGroup,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Exit codes: `firstline exit-codes`. Every command takes --json and --help.",
        **_PLAIN,  # type: ignore[arg-type] # a table of keywords
    )
    root.callback()(_firstline)
    return root


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - how typer calls it
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - as slow as half of --help

        console.say(version("firstline"))
        raise typer.Exit


def _firstline(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print it.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """AI on small boards that knows when to ask."""


def _translated(error: Exception) -> Exception:
    if not isinstance(error, ModuleNotFoundError):
        return error
    extra = _EXTRAS.get((error.name or "").partition(".")[0])
    return CommandError(
        f"{error.name} is not installed, and this command needs it",
        fix=f"pip install 'firstline[{extra}]'"
        if extra
        else "pip install --force-reinstall firstline",
    )


def _usage(error: TyperException, *, as_json: bool) -> ExitCode:
    if as_json:
        document = {"code": ExitCode.USAGE, "kind": "usage", "message": error.format_message()}
        console.emit({"error": document})
    else:
        error.show()  # type: ignore[attr-defined] # typer's own base class
    return ExitCode.USAGE
