"""What an engine child holds in memory: no parser of manifests, and weights once or not at all."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from agent.core.clean import Expectation, clean
from agent.core.find import find
from agent.core.mask import mask
from agent.core.policy import FieldRule, MaskRules
from agent.models.engine import Engine
from agent.stages import Raw
from broker.package.apart import manifest_apart
from broker.package.errors import ManifestError
from broker.package.manifest import load_manifest
from broker.package.profile import Profile
from broker.wire.payload import PayloadKind
from tests.unit.agent.children import Stopped
from tests.unit.firstline.onnx_file import write_product
from tests.unit.package.packages import SHIPPED, brought, edit, sha256

WIDTH = 2048  # 16 MiB of weights
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heavy")
    write_product(folder / "model.onnx", width=WIDTH)
    (folder / "labels.txt").write_text("".join(f"{n}\n" for n in range(WIDTH)))
    files = "".join(f'"{path.name}" = "{sha256(path)}"\n' for path in folder.iterdir())
    fields = ", ".join(f'"f{number}"' for number in range(WIDTH))
    (folder / "package.toml").write_text(
        'name = "heavy"\nversion = "1.0.0"\nkind = "classification"\nengine = "onnxruntime"\n'
        'file = "model.onnx"\nlicence = "CC0-1.0"\nram_mb = 1\n'
        f'[files]\n{files}[input]\npayload = "record"\nnumbers = [{fields}]\n'
        '[[heads]]\ndomain = "d"\nlabels = "labels.txt"\n'
    )
    return folder


def anonymous_bytes(package: Path, profile: Profile) -> int:
    """What a child that has answered holds for itself, without pages of files."""
    text = "{" + ", ".join(f'"f{number}": 1' for number in range(WIDTH)) + "}"
    record = clean(Raw("t", "s", text.encode()), Expectation(PayloadKind.RECORD))
    masked = mask(record, MaskRules(default=FieldRule.KEEP), find).masked
    engine = Engine(package, profile=profile)
    with closing(Stopped(engine)):
        engine.draft(masked, "d")
        rollup = Path(f"/proc/{engine.pid}/smaps_rollup").read_text(encoding="ascii")
    (line,) = (each for each in rollup.splitlines() if each.startswith("Anonymous:"))
    return int(line.split()[1]) * 1024


def test_low_memory_leaves_the_weights_in_their_file(heavy: Path) -> None:
    fast, low = anonymous_bytes(heavy, "fast"), anonymous_bytes(heavy, "low_memory")

    assert fast - low > 0.9 * 4 * WIDTH * WIDTH


def test_a_child_holds_no_pydantic(tmp_path: Path) -> None:
    engine = Engine(brought(tmp_path))
    with closing(Stopped(engine)):
        engine.load()

        loaded = Path(f"/proc/{engine.pid}/maps").read_text(encoding="utf-8")

    assert "onnxruntime" in loaded
    assert "pydantic" not in loaded


def test_a_manifest_read_apart_is_the_same() -> None:
    assert manifest_apart(SHIPPED / "commands-small") == load_manifest(SHIPPED / "commands-small")


def test_what_is_wrong_with_a_manifest_comes_across(tmp_path: Path) -> None:
    folder = brought(tmp_path)
    edit(folder, "length = 4", "lenght = 4")

    with pytest.raises(ManifestError, match=r"package.toml:16: .*did you mean 'length'"):
        manifest_apart(folder)


def test_a_reader_that_is_killed_is_a_package_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "package.toml")  # whoever reads it waits
    code = (
        "import sys; from pathlib import Path; from broker.package.apart import manifest_apart;"
        "manifest_apart(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as reader:
        os.kill(child_of(reader.pid), signal.SIGKILL)
        said = reader.communicate(timeout=PATIENCE_S)[1]

    assert f"EngineError: {tmp_path} could not be read: the process ended with code -9" in said


def child_of(pid: int) -> int:
    give_up_s = time.monotonic() + PATIENCE_S
    while not (found := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
    return int(found[0])
