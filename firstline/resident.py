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
from firstline.becoming import Orders, read_orders
from firstline.build import agent_process
from firstline.logs import log_to_stderr
from firstline.stopping import on_stop

if TYPE_CHECKING:
    from agent.shell.loop import AgentEvent


def main() -> int:
    """Serve until SIGTERM or SIGINT, or until standard input is answered; return an exit code."""
    orders = read_orders(sys.argv[1])
    try:
        _serve(orders)
    except Exception as error:  # noqa: BLE001 - the outermost place: told, never a traceback
        from firstline import console  # noqa: PLC0415 - it brings Typer along

        return console.tell(error, as_json=orders.as_json)
    return 0


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
