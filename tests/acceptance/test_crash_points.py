"""Some of the crash points of agent and worker; `make crashes` goes through all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]

STRIDES = {"agent": 7, "worker": 8}
LEAST = 2  # steps that were gone through


@pytest.mark.parametrize("how", ["crash", "power-cut"])
@pytest.mark.parametrize("victim", STRIDES)
def test_whatever_step_is_the_last_nothing_is_lost_and_nothing_has_two_effects(
    tmp_path: Path, victim: str, how: str
) -> None:
    stride = str(STRIDES[victim])
    program = [sys.executable, "-m", "tests.acceptance.crash_points"]

    run = subprocess.run(
        [*program, victim, how, str(tmp_path), stride], capture_output=True, text=True, check=False
    )

    steps = [json.loads(line) for line in run.stdout.splitlines()]
    assert [step for step in steps if step["lost"] or step["two"]] == []
    assert run.returncode == 0, run.stderr
    assert len(steps) >= LEAST
