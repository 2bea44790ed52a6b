"""`firstline worker`: the cloud."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline.build_worker import worker_process
from firstline.commands import noun
from firstline.commands.log_options import LogJsonOption, QuietOption, VerboseOption
from firstline.console import JsonOption, emit
from firstline.logs import log_to_stderr
from firstline.notify import Notifier
from firstline.stopping import on_stop

if TYPE_CHECKING:
    from cloud_worker.vitals import Vitals

_LONGEST_S = 30.0  # models work on threads of their own; the loop waits for its disk at most

app = noun("The cloud: run a worker.")


@app.command()
def run(
    *,
    settings: Annotated[Path, typer.Option(metavar="FILE", help="Its settings.")],
    verbose: VerboseOption = 0,
    quiet: QuietOption = 0,
    log_json: LogJsonOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer questions until SIGTERM or Ctrl-C; what is accepted by then is finished first.

    With --json it says on standard output when it starts and stops.
    """
    log_to_stderr(verbose=verbose, quiet=quiet, as_json=log_json)
    with worker_process(settings) as service, on_stop(service.stop):
        notifier = Notifier(longest_s=_LONGEST_S, doing=lambda: _doing(service.vitals))
        if as_json:
            emit({"event": "started", "settings": settings})
        service.run(notifier.alive)
    if as_json:
        emit({"event": "stopped"})


def _doing(vitals: "Vitals") -> str:
    work = sum(lane.waiting + lane.working for lane in vitals.lanes)
    return f"broker {vitals.broker}, {work} questions{', stopping' if vitals.stopping else ''}"
