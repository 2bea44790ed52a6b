"""A device's whole folder: keys, a packed model, settings."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.fleet import keys
from broker.wire.topics import DeviceId, FleetId, PoolId
from firstline.packing.make import pack
from firstline.packing.recipe import Recipe
from tests.unit.firstline.onnx_file import write_first_tokens

AGENT = """\
[agent]
credentials = "fleet/devices/kitchen"

[broker]
port = {port}

[models.small]
package = "packages/small"

[[tasks]]
name = "home"
model = "small"
domain = "home"
patience_s = 0.5
input = {{ kind = "folder", path = "in" }}
output = {{ kind = "folder", path = "out" }}

[[tasks]]
name = "typed"
model = "small"
domain = "home"
patience_s = 0.5
input = {{ kind = "stdin" }}
output = {{ kind = "stdout" }}
"""
WORKER = """\
[worker]
credentials = "fleet/workers/cloud"

[broker]
port = {port}

[[engines]]
package = "packages/small"
"""


@dataclass(frozen=True)
class Home:
    """Where everything lies."""

    folder: Path
    agent: Path
    worker: Path


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package for texts that an engine child runs; it is not calibrated."""
    folder = tmp_path_factory.mktemp("small")
    write_first_tokens(folder / "text.onnx", labels=3)
    (folder / "labels.txt").write_text("low\nmid\nhigh\n")
    (folder / "pieces.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\nworld\n")
    recipe = Recipe(
        name="small",
        version="1.2.3",
        licence="CC0-1.0",
        parent="",
        kind="classification",
        engine="onnxruntime",
        file="model.onnx",
        files={
            "model.onnx": folder / "text.onnx",
            "labels.txt": folder / "labels.txt",
            "vocabulary.txt": folder / "pieces.txt",
        },
        input={
            "payload": "text",
            "tokenizer": "wordpiece-uncased",
            "vocabulary": "vocabulary.txt",
            "max_tokens": 16,
        },
        head={"domain": "home", "labels": "labels.txt"},
    )
    pack(recipe, folder / "package")
    return folder / "package"


@pytest.fixture
def home(tmp_path: Path, small: Path) -> Home:
    """An agent's and a worker's settings, valid, with a broker that is not there."""
    keys.init(tmp_path / "fleet", FleetId("home"))
    keys.enroll(tmp_path / "fleet", DeviceId("kitchen"), PoolId("cloud"), now_s=time.time())
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "small").symlink_to(small)
    made = Home(tmp_path, tmp_path / "agent.toml", tmp_path / "worker.toml")
    made.agent.write_text(AGENT.format(port=1))
    made.worker.write_text(WORKER.format(port=1))
    return made


def use_port(home: Home, port: int) -> None:
    """Let the settings name a broker that is there."""
    home.agent.write_text(AGENT.format(port=port))
    home.worker.write_text(WORKER.format(port=port))
