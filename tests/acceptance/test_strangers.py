"""Models of strangers become working tasks: two commands and a settings file, no code."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.package.strangers import BROUGHT

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]
PATIENCE_S = 100.0
SETTINGS = """\
[agent]
credentials = "fleet/devices/board"
[broker]
port = 1
"""
MODEL = """\
[models.{name}]
package = "models/{name}"
profile = "{profile}"
timeout_s = 60.0
[[tasks]]
name = "{name}"
model = "{name}"
domain = "{name}"
payload = "{payload}"
max_error = 1.0
mask = {{ default = "keep" }}
input = {{ kind = "folder", path = "{name}-in" }}
output = {{ kind = "folder", path = "{name}-out" }}
"""


def firstline(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "firstline", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pack(folder: Path, name: str, model: Path, *more: str, payload: str) -> str:
    """Pack a model; the settings that make it a task."""
    firstline(folder, "model", "pack", str(model), "--name", name, *more)
    profile = "low_memory" if payload == "record" else "fast"
    return MODEL.format(name=name, payload=payload, profile=profile)


def answers(folder: Path, settings: str, asked: dict[str, bytes]) -> dict[str, str]:
    """Run the agent on a file for each task."""
    firstline(folder, "fleet", "init", "fleet", "--no-passphrase")
    firstline(folder, "fleet", "enroll", "board", "--folder", "--dir", "fleet")
    (folder / "agent.toml").write_text(SETTINGS + settings, encoding="utf-8")
    firstline(folder, "config", "check", "agent.toml")
    for name, content in asked.items():
        (folder / f"{name}-in").mkdir()
        (
            folder / f"{name}-in" / f"question{'.json' if content[:1] == b'{' else '.txt'}"
        ).write_bytes(content)
    agent = subprocess.Popen(
        [sys.executable, "-m", "firstline", "agent", "run", "--settings", "agent.toml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    try:
        return {name: heard(folder / f"{name}-out") for name in asked}
    finally:
        agent.terminate()
        agent.wait(PATIENCE_S)


def heard(folder: Path) -> str:
    give_up_s = time.monotonic() + PATIENCE_S
    while not (found := list(folder.glob("*.json"))):
        assert time.monotonic() < give_up_s, f"nothing came into {folder}"
        time.sleep(0.05)
    said = json.loads(found[0].read_text(encoding="utf-8"))
    assert said["origin"] == "device"
    return str(said["answer"])


def test_onnx_models_of_strangers_answer_in_an_agent(tmp_path: Path) -> None:
    numbers = ("--number", "a", "--number", "b", "--tolerance", "0.5")
    settings = pack(tmp_path, "words", BROUGHT / "sklearn_text.onnx", payload="text")
    settings += pack(tmp_path, "columns", BROUGHT / "sklearn_columns.onnx", payload="record")
    settings += pack(
        tmp_path, "sum", BROUGHT / "sklearn_regressor.onnx", *numbers, payload="record"
    )
    asked = {
        "words": b"turn on the light",
        "columns": b'{"speed": 80, "mode": "on"}',
        "sum": b'{"a": 4, "b": 1}',
    }

    assert answers(tmp_path, settings, asked) == {"words": "on", "columns": "hot", "sum": "10"}


@pytest.mark.skipif(
    "FIRSTLINE_DATA" not in os.environ, reason="FIRSTLINE_DATA is not set: no stories260K-q8_0.gguf"
)
def test_a_gguf_file_of_a_stranger_answers_in_an_agent(tmp_path: Path) -> None:
    model = Path(os.environ["FIRSTLINE_DATA"]) / "models" / "stories260K-q8_0.gguf"
    settings = pack(tmp_path, "stories", model, "--max-tokens", "24", payload="text")

    said = answers(tmp_path, settings, {"stories": b"Once upon a time"})

    assert "there was a little" in said["stories"]
