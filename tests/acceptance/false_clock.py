"""A board whose clock is wrong, in every process of it: agent, updater, engines.

Each Python that an agent starts calls `arm`, by sitecustomize.py in PYTHONPATH. Who else runs here,
the broker and the worker, has the right time.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

_AHEAD_S: Final = "FIRSTLINE_TEST_AHEAD_S"
_OF_THE_BOARD: Final = ("agent.", "firstline.resident")
_START: Final = "from tests.acceptance.false_clock import arm\n\narm()\n"


def environment(folder: Path, ahead_s: float) -> dict[str, str]:
    """What an agent must be started with, for its clock to be ahead by so much."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_START, encoding="utf-8")
    roots = (str(folder), str(Path(__file__).parents[2]))
    return {_AHEAD_S: str(ahead_s), "PYTHONPATH": os.pathsep.join(roots)}


def arm() -> None:
    """Set the clock, if this is a process of a board."""
    ahead_s, true_s = float(os.environ.get(_AHEAD_S, "0")), time.time
    if any(word.startswith(_OF_THE_BOARD) for word in sys.orig_argv):
        time.time = lambda: true_s() + ahead_s
