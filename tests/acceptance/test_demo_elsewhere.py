"""The demo's messages through an agent that somebody else started."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from firstline.demo.processes import running_stage

pytestmark = [pytest.mark.broker, pytest.mark.acceptance]


def test_the_demo_asks_an_agent_that_runs_already(tmp_path: Path) -> None:
    with running_stage(tmp_path) as stage:
        done = firstline("demo", "--json", "--settings", stage.settings, "--cloud-down")

    assert done.returncode == 0, done.stderr
    scenes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [scene["task"] for scene in scenes] == ["home", "engine"]
    for scene in scenes:  # of these the device is not sure
        assert scene["answered_by"] in {"cloud", "degraded"}
        assert scene["left_device"] != "nothing"
        assert scene["sealed_bytes"] is None  # nobody listens


def test_an_agent_that_does_not_run_is_told_as_such(tmp_path: Path) -> None:
    done = firstline("demo", "--settings", tmp_path / "agent.toml")

    assert done.returncode != 0
    assert "agent.toml" in done.stderr


@pytest.mark.parametrize("words", [["--cloud-down"], ["--keep", "x", "--settings", "y"]])
def test_options_that_do_not_go_together_are_refused(words: list[str]) -> None:
    assert firstline("demo", *words).returncode == 2


def firstline(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firstline", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
