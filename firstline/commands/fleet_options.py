"""What several commands of `firstline fleet` take."""

from pathlib import Path
from typing import Annotated

import typer

from broker.wire.credentials import ROSTER

DEFAULT_FOLDER = Path("fleet")
DEFAULT_FLEET = "home"
DEFAULT_POOL = "cloud"

FolderOption = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The fleet's folder.")]
FleetOption = Annotated[str, typer.Option(metavar="NAME", help="The fleet's name.")]
PoolOption = Annotated[str, typer.Option(metavar="NAME", help="The pool of workers it asks.")]
DeviceName = Annotated[str, typer.Argument(metavar="DEVICE", help="Its name.")]
PlainOption = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="A broker without TLS. [the fleet's own]")
]


def workers_rosters(folder: Path) -> list[Path]:
    """The files to copy to the workers when a device comes or goes."""
    return sorted(folder.glob(f"workers/*/{ROSTER}"))
