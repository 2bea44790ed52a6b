"""A board that is offered a package, and ends by SIGKILL at its n-th durable step from then on.

python -m tests.acceptance.doomed_board FOLDER KEYS RELEASE STEP

Exit code 0: it had fewer steps, and the package is proven.
"""

import os
import signal
import sys
import time
from pathlib import Path

from agent.update.book import Bounds
from firstline.bench.swap_board import swap_board
from firstline.bench.swap_packages import lay_down
from tests.integration.running import free_port

_STEPS = ("os.rename", "os.remove")
_WATCH_S = 0.1
_WITHIN_S = 60.0


def main() -> int:
    """Be that board."""
    folder, keys, release, doomed = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
    with swap_board(folder, keys, free_port()) as board:
        ready = lay_down(board.state, release, Bounds(watch_s=_WATCH_S))
        steps = 0

        def heard(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal steps
            if event in _STEPS and "slots" in str(arguments):
                steps += 1
                if steps == doomed:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(heard)
        board.offer(ready)
        give_up_s = time.monotonic() + _WITHIN_S
        while not board.counters["updates_done"] and time.monotonic() < give_up_s:
            board.ask()
        return 0 if board.counters["updates_done"] else 1


if __name__ == "__main__":
    sys.exit(main())
