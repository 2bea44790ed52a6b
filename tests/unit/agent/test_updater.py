"""The updater's process, seen from the agent."""

import os
from pathlib import Path
from queue import SimpleQueue

from agent.shell.updater import Updater, UpdaterEnded, UpdaterSaid
from agent.update.words import Begin


def test_the_kernel_ends_the_updater_before_the_agent(tmp_path: Path) -> None:
    queue: SimpleQueue[UpdaterSaid | UpdaterEnded] = SimpleQueue()
    updater = Updater(queue.put, lambda: None)
    updater.start(Begin(str(tmp_path), str(tmp_path), (), ()))
    try:
        scores = {score(pid) for pid in children_of(os.getpid())}
    finally:
        updater.stop()

    assert scores
    assert min(scores) >= score(os.getpid()) + 500


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def score(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())
