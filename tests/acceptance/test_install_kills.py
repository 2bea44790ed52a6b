"""The agent is killed at each durable step of an installation: the old or the new model runs."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firstline.bench.fleet import make_fleet
from firstline.bench.swap_board import swap_board
from tests.integration.running import free_port
from tests.updates import wait_for

WITHIN_S = 100.0


@pytest.mark.timeout(300)
def test_killed_at_any_step_of_an_installation_a_board_answers_with_one_model_or_the_other(
    tmp_path: Path,
) -> None:
    keys, folder, proven = make_fleet(tmp_path / "fleet").device, tmp_path / "board", 0
    ended = []
    for step in range(1, 10):
        words = [str(folder), str(keys), str(step), str(step)]  # a release of its own each time
        module = [sys.executable, "-m", "tests.acceptance.doomed_board"]
        done = subprocess.run([*module, *words], timeout=WITHIN_S, check=False)
        ended.append(done.returncode)
        if done.returncode == 0:
            break
        with swap_board(folder, keys, free_port()) as board:
            first = board.ask()
            assert first.right, step
            assert first.version in (proven, step)
            if first.version == step:  # it was on trial, and is proven now
                wait_for(lambda board=board: board.counters["updates_done"])  # type: ignore[misc]
                proven = step

    assert ended == [*[-signal.SIGKILL] * (len(ended) - 1), 0]
    assert len(ended) > 3  # it is noted that it is tested, that it runs, that it is proven
