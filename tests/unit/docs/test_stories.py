"""What the pages tell of what happens: the picture, the demo, the shell lines."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import agent.pipeline
from broker.fleet.mosquitto import running_broker
from tests.unit.docs.pages import README, ROOT, blocks, indented
from tests.unit.firstline.onnx_file import write_first_tokens

FLEET, START, ASK, LOOK, PACK, CALIBRATE = range(6)  # the shell blocks of the README, in order
AGENT, WORKER = range(2)  # its settings

_NUMBER = re.compile(r"^ ?(\d+)  ", re.MULTILINE)
_PATIENCE_S = 100.0


def test_the_three_lines_are_those_of_the_pipeline() -> None:
    page = (ROOT / "agent" / "README.md").read_text(encoding="utf-8")
    story = (agent.pipeline.__doc__ or "").split("\n\n")[1]

    assert story in page


def test_the_picture_has_the_steps_in_the_pipelines_order() -> None:
    picture = README.read_text(encoding="utf-8").partition("## Two commands")[0]
    drawn = re.findall(r"^    (\w+)  ", picture, re.MULTILINE)

    assert drawn == ["input", "clean", "mask", "draft", "gate", "restore", "deliver"]


@pytest.mark.broker
@pytest.mark.acceptance
def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    done = run(bash("firstline demo --json", tmp_path), tmp_path)
    scenes = [json.loads(line) for line in done.stdout.splitlines()]

    excerpt = indented(README, "demo")
    numbers = [int(number) for number in _NUMBER.findall(excerpt)]

    assert len(numbers) >= 3
    assert len(scenes) >= 12
    assert {scene["payload"] for scene in scenes} == {"text", "record", "window"}
    assert [scene for scene in scenes if not scene["answer"]] == []
    shown = re.split(r"^ ?\d+  ", excerpt, flags=re.MULTILINE)[1:]
    for number, lines in zip(numbers, shown, strict=True):
        assert missing(scenes[number - 1], " ".join(lines.split())) == []


def missing(scene: dict[str, object], shown: str) -> list[str]:
    """What the README does not show of a scene; times and sizes differ from run to run."""
    told = [
        f"{scene['task']} ({scene['payload']})",
        f"came in {scene['came_in']}",
        f"left {scene['left_device']}",
        f"answer {scene['answer']}",
        f"by {scene['answered_by']} ({scene['model']}), {scene['confidence']:.0%} sure",
    ]
    return [each for each in told if " ".join(each.split()) not in shown]


@pytest.mark.broker
@pytest.mark.acceptance
def test_the_shell_lines_make_a_fleet_that_answers(tmp_path: Path) -> None:
    fleet, start, ask, look, *_ = blocks(README, "sh")
    with running_broker(tmp_path / "elsewhere") as found:
        port = str(found.port)  # free again in a moment
    run(bash(fleet, tmp_path), tmp_path)
    for path, number in (("board/agent.toml", AGENT), ("worker/worker.toml", WORKER)):
        settings = blocks(README, "toml")[number].replace("8883", port)
        (tmp_path / path).write_text(settings, encoding="utf-8")

    ports = f"broker up --port {port} --join-port 0"
    with started(start.replace("broker up", ports), tmp_path):
        answer = run(bash(ask, tmp_path), tmp_path).stdout
    looked = run(bash(look, tmp_path), tmp_path).stdout

    assert answer.splitlines()[0].endswith("anna.berg@example.org")
    assert re.search(r"^origin +cloud$", answer, re.MULTILINE)
    assert looked.startswith("mail <EMAIL_1>, card <CARD_1>\n")


def test_the_shell_lines_pack_a_model_and_calibrate_it(tmp_path: Path) -> None:
    write_first_tokens(tmp_path / "my.onnx", labels=2)
    (tmp_path / "labels.txt").write_text("off\non\n", encoding="utf-8")
    pieces = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "on", "off")
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")

    said = run(bash(blocks(README, "sh")[PACK], tmp_path), tmp_path).stdout

    assert "It has no calibration yet" in said
    assert (tmp_path / "models" / "my-commands" / "package.toml").is_file()

    (tmp_path / "validation.csv").write_text("text,intent\non,on\noff,off\n", encoding="utf-8")
    said = run(bash(blocks(README, "sh")[CALIBRATE], tmp_path), tmp_path).stdout

    assert said.startswith("Calibrated home/lighting of my-commands in models/my-commands.\n")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that is expected to succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def bash(lines: str, folder: Path) -> list[str]:
    """Shell lines, with a `firstline` that is this one."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    firstline = bin_folder / "firstline"
    firstline.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m firstline "$@"\n', "utf-8")
    firstline.chmod(0o755)
    phrase = "export FIRSTLINE_PASSPHRASE='a throw-away fleet'\n"
    paths = f"export PATH='{bin_folder}':$PATH PYTHONPATH='{ROOT}'\n"
    return ["bash", "-e", "-c", phrase + paths + lines]


@contextmanager
def started(lines: str, folder: Path) -> Iterator[None]:
    """Run lines that start programs, until the agent takes questions."""
    with (folder / "log").open("wb") as log:
        shell = subprocess.Popen(
            bash(lines + "wait\n", folder),
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        give_up_s = time.monotonic() + _PATIENCE_S
        while not (folder / "board" / "inbox").is_dir():
            assert time.monotonic() < give_up_s, (folder / "log").read_text()
            time.sleep(0.05)
        yield
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(_PATIENCE_S)
