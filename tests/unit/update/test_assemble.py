"""Packages put together: from blocks, patches and what is on the board, whatever interrupts it."""

import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.update.assemble import Assembly, OnBoard
from agent.update.errors import ContentError, NoSpaceError
from broker.fleet.releases import deltas
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.stock import Stock
from broker.wire.release import BLOCK_BYTES, Needs, PackagePlan, digest
from tests.blocks import StockLine, a_download, some_bytes
from tests.disk import Disk

HEAD = Head("lights", "1.0.1", "q8", Needs(engine="onnxruntime"))
WEIGHTS = some_bytes(3 * BLOCK_BYTES + 17)
TOML = b'name = "lights"\n'


def trained_on(weights: bytes, every: int) -> bytes:
    made = bytearray(weights)
    for at in range(0, len(made), every):
        made[at] = (made[at] + 1 + at % 7) % 256
    return bytes(made)


class Scene:
    """An operator with a release, and a board with an earlier package."""

    def __init__(self, folder: Path, old: dict[str, bytes], new: dict[str, bytes]) -> None:
        self.factory, self.state = folder / "factory", folder / "state"
        self.new = new
        for name, files in (("factory", old), ("package", new)):
            (folder / name).mkdir()
            for file, data in files.items():
                (folder / name / file).write_bytes(data)
        self.stock = Stock(folder / "fleet")
        self.plan = plan(
            self.stock, folder / "package", HEAD, bases=[self.factory], told=lambda _line: None
        )
        self._ready(StockLine(self.stock))

    def assemble(self, made: PackagePlan | None = None) -> Path:
        """What a board does."""
        self._ready(StockLine(self.stock))
        made = made or self.plan
        return self.assembly.assemble(made, digest(made.write()))

    def _ready(self, line: StockLine) -> None:
        self.line = line
        download, self.window, store = a_download(line, self.state / "blocks")
        self.assembly = Assembly(
            folder=self.state / "packages",
            store=store,
            download=download,
            board=OnBoard([self.factory]),
        )

    def is_whole(self, package: Path) -> bool:
        """Whether a package is what was released, and nothing else is left."""
        found = {path.name: path.read_bytes() for path in package.iterdir()}
        left = [*(self.state / "blocks").iterdir(), *(self.state / "packages").glob(".*")]
        return found == self.new and not left


@pytest.fixture
def full(tmp_path: Path) -> Scene:
    return Scene(tmp_path, {}, {"package.toml": TOML, "model.onnx": WEIGHTS})


@pytest.fixture
def patched(tmp_path: Path) -> Scene:
    new = trained_on(WEIGHTS, 9)
    return Scene(tmp_path, {"model.onnx": WEIGHTS}, {"package.toml": TOML, "model.onnx": new})


def test_a_package_is_put_together_of_blocks(full: Scene) -> None:
    package = full.assemble()

    assert full.is_whole(package)
    assert full.window.counters["blocks"] == 6  # a list, four blocks, the settings


def test_a_package_that_is_there_costs_nothing(full: Scene) -> None:
    full.assemble()

    full.assemble()

    assert full.line.brought == []


def test_a_patch_is_brought_instead_of_the_file(patched: Scene) -> None:
    package = patched.assemble()

    assert patched.is_whole(package)
    assert patched.assembly.counters["patches_applied"] == 1
    assert patched.window.counters["bytes"] < 0.7 * len(WEIGHTS)


@pytest.mark.parametrize("wrong", ["no patch", "of another file"])
def test_what_a_patch_does_not_lead_to_comes_as_a_whole(
    patched: Scene, tmp_path: Path, wrong: str
) -> None:
    (file,) = (each for each in patched.plan.files if each.deltas)
    (delta,) = file.deltas
    stranger = tmp_path / "stranger"
    stranger.write_bytes(trained_on(WEIGHTS, 11))
    other = deltas.make(stranger, tmp_path / "package" / file.name, tmp_path)
    patch = patched.stock.put(b"no patch") if wrong == "no patch" else patched.stock.add(other.path)
    liar = replace(file, deltas=(replace(delta, patch=patch, method=other.method),))
    others = tuple(each for each in patched.plan.files if each is not file)
    made = replace(patched.plan, files=(liar, *others))

    package = patched.assemble(made)

    assert patched.is_whole(package)
    assert patched.assembly.counters["patches_failed"] == 1


def test_a_board_without_the_base_takes_the_whole_file(patched: Scene) -> None:
    shutil.rmtree(patched.factory)

    package = patched.assemble()

    assert patched.is_whole(package)
    assert patched.assembly.counters["patches_applied"] == 0


def test_an_adapter_costs_the_adapter_and_its_base_no_space(tmp_path: Path) -> None:
    adapter = some_bytes(BLOCK_BYTES // 4)
    scene = Scene(
        tmp_path,
        {"model.gguf": WEIGHTS, "package.toml": b"old"},
        {"model.gguf": WEIGHTS, "package.toml": TOML, "adapter.gguf": adapter},
    )

    package = scene.assemble()

    assert scene.is_whole(package)
    assert scene.window.counters["bytes"] == len(adapter) + len(TOML)
    assert (package / "model.gguf").stat().st_ino == (scene.factory / "model.gguf").stat().st_ino


def test_what_cannot_be_linked_is_copied(patched: Scene) -> None:
    other_disk = Path("/dev/shm") / f"firstline-{os.getpid()}"  # noqa: S108 - another file system
    other_disk.mkdir()
    try:
        (other_disk / "package.toml").write_bytes(TOML)
        patched.factory = other_disk

        package = patched.assemble()

        assert patched.is_whole(package)
        assert patched.assembly.counters["files_copied"] == 1
    finally:
        shutil.rmtree(other_disk)


def test_no_space_is_told_before_anything_comes(full: Scene) -> None:
    file = full.plan.files[0]
    huge = replace(file, content=replace(file.content, length=1 << 39))
    made = replace(full.plan, files=(huge,))

    with pytest.raises(NoSpaceError):
        full.assemble(made)

    assert full.line.brought == []


def test_two_files_of_one_name_are_refused(full: Scene) -> None:
    made = replace(full.plan, files=(full.plan.files[0], full.plan.files[0]))

    with pytest.raises(ContentError):
        full.assemble(made)


@pytest.mark.parametrize("kind", ["full", "patched"])
@pytest.mark.parametrize("loses", [True, False], ids=["power cut", "kill"])
def test_whatever_step_is_the_last_the_next_start_goes_on_and_fetches_one_block_again_at_most(
    request: pytest.FixtureRequest, kind: str, *, loses: bool
) -> None:
    scene: Scene = request.getfixturevalue(kind)
    scene.assemble()
    every, number = scene.window.counters["blocks"], 0
    while True:
        number += 1
        shutil.rmtree(scene.state)
        scene.state.mkdir()
        scene.window.counters.clear()
        disk = Disk(scene.state, cut_at=number)
        if disk.runs(scene.assemble):
            break
        before = scene.window.counters["blocks"]
        if loses:
            disk.lose()

        package = scene.assemble()

        assert scene.is_whole(package), disk.steps
        assert before + scene.window.counters["blocks"] <= every + 1, disk.steps
    assert number > 20
