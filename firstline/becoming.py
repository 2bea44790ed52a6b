"""How the command line becomes the agent: by exec, so that nothing of it stays in memory.

Typer would keep 7 MiB of every board for the few milliseconds in which it reads options.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Orders:
    """What `firstline agent run` was told."""

    settings: str  # path
    verbose: int = 0
    quiet: int = 0
    log_json: bool = False
    as_json: bool = False


def become_agent(orders: Orders) -> NoReturn:
    """Replace this process by the agent; process id, streams and signals stay the same."""
    # -P: the folder that it is started in must not offer modules.
    words = [sys.executable, "-P", "-m", "firstline.resident", json.dumps(asdict(orders))]
    sys.stdout.flush()
    os.execv(sys.executable, words)  # noqa: S606 - our own module, no shell


def read_orders(text: str) -> Orders:
    """What `become_agent` wrote."""
    return Orders(**json.loads(text))
