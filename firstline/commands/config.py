"""`firstline config`: is a settings file right, and what does it come to?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from firstline.commands import noun
from firstline.console import JsonOption, columns, show
from firstline.settings import references, source
from firstline.settings.agent import AgentSettings
from firstline.settings.problems import SettingsError
from firstline.settings.references import Settings
from firstline.settings.rows import rows
from firstline.settings.worker import WorkerSettings

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Settings of an agent or of a worker.")
]


class Kind(StrEnum):
    """Whose settings."""

    AGENT = "agent"
    WORKER = "worker"


app = noun("Settings files: check, show, and the keys that there are.")


@app.command()
def check(file: FileArgument, *, as_json: JsonOption = False) -> None:
    """Tell all that is wrong with a settings file, with line and nearest key.

    Looks also at what the file names: model packages, folders, keys.
    """
    settings = references.read(file)
    problems = source.located(file, references.faults(settings, file.resolve().parent))
    if problems:
        raise SettingsError(problems)
    document = {"file": file, "kind": _kind(settings), "valid": True}
    show(document, [f"{file}: valid settings of {_kind(settings)}"], as_json=as_json)


@app.command("show")
def show_effective(file: FileArgument, *, as_json: JsonOption = False) -> None:
    """Print every value that holds, and where it comes from: a line, or the default."""
    settings = references.read(file)
    lines = source.origins(file)
    rows = [
        (
            ".".join(map(str, location)),
            str(value),
            f"line {lines[location]}" if location in lines else "default",
        )
        for location, value in source.leaves(settings.model_dump(mode="json", exclude_none=True))
    ]
    document = {
        "file": file,
        "kind": _kind(settings),
        "settings": [{"key": key, "value": value, "origin": origin} for key, value, origin in rows],
    }
    show(document, columns([("key", "value", "from"), *rows]), as_json=as_json)


@app.command()
def keys(
    kind: Annotated[Kind, typer.Argument(help="Whose settings.")], *, as_json: JsonOption = False
) -> None:
    """Print every key there is, its default and what is allowed; NAME is one that you choose."""
    found = [
        tuple(cell.replace("`", "") for cell in row)
        for row in rows(AgentSettings if kind is Kind.AGENT else WorkerSettings)
    ]
    document = {
        "kind": kind,
        "keys": [dict(zip(("key", "default", "allowed"), row, strict=True)) for row in found],
    }
    show(document, columns([("key", "default", "allowed"), *found]), as_json=as_json)


def _kind(settings: Settings) -> str:
    return "an agent" if isinstance(settings, AgentSettings) else "a worker"
