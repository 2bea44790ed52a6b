"""`firstline agent`: the device."""

from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated

import typer

from agent.shell.events import Stop
from firstline.build import agent_process
from firstline.commands import noun
from firstline.console import JsonOption, emit
from firstline.logs import LogJsonOption, QuietOption, VerboseOption, log_to_stderr
from firstline.stopping import on_stop

if TYPE_CHECKING:
    from agent.shell.loop import AgentEvent

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
    log_to_stderr(verbose=verbose, quiet=quiet, as_json=log_json)
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    with on_stop(lambda: queue.put(Stop())), agent_process(settings, queue) as loop:
        if as_json:
            emit({"event": "started", "settings": settings})
        loop.run()
    if as_json:
        emit({"event": "stopped"})
