"""`firstline agent`: the device."""

from pathlib import Path
from typing import Annotated

import typer

from firstline.becoming import Orders, become_agent
from firstline.commands import noun
from firstline.commands.log_options import LogJsonOption, QuietOption, VerboseOption
from firstline.console import JsonOption

app = noun("The device: run the agent.")


@app.command()
def run(
    *,
    settings: Annotated[Path, typer.Option(metavar="FILE", help="Its settings.")],
    verbose: VerboseOption = 0,
    quiet: QuietOption = 0,
    log_json: LogJsonOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the agent until SIGTERM or Ctrl-C, or until its standard input is answered.

    With --json it says on standard output when it starts and stops, between its answers.
    """
    become_agent(Orders(str(settings), verbose, quiet, log_json, as_json))
