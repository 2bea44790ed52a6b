"""The agent as a process: what stays in a board's memory for months.

Run as `python -m firstline.resident ORDERS` by `firstline agent run` (see `becoming.py`).
"""

import json
import sys
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from agent.memory import give_back
from agent.shell.events import Stop
from agent.shell.guard import no_thread_fails_alone
from firstline.becoming import Orders, read_orders
from firstline.build import agent_process
from firstline.exits import CommandError
from firstline.logs import log_to_stderr
from firstline.stopping import on_stop

if TYPE_CHECKING:
    from agent.shell.loop import AgentEvent

_MORE = "a larger LimitDATA= in its unit (sudo systemctl edit firstline-agent); it has lost nothing"


def main() -> int:
    """Serve until SIGTERM or SIGINT, or until standard input is answered; return an exit code."""
    orders = read_orders(sys.argv[1])
    no_thread_fails_alone()
    try:
        _serve(orders)
    except MemoryError:
        failure: Exception = CommandError("the agent is out of memory", fix=_MORE)
    except Exception as error:  # noqa: BLE001 - the outermost place: told, never a traceback
        failure = error
    else:
        return 0
    from firstline import console  # noqa: PLC0415 - it brings Typer along

    return console.tell(failure, as_json=orders.as_json)


def _serve(orders: Orders) -> None:
    log_to_stderr(verbose=orders.verbose, quiet=orders.quiet, as_json=orders.log_json)
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    with on_stop(lambda: queue.put(Stop())), agent_process(Path(orders.settings), queue) as loop:
        if orders.as_json:
            _say({"event": "started", "settings": orders.settings})
        give_back()
        loop.run()
    if orders.as_json:
        _say({"event": "stopped"})


def _say(event: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
