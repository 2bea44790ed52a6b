"""Where `firstline model pack` leaves the weights: beside the graph, if they are heavy."""

from pathlib import Path

import pytest

from broker.package.load import load_package
from broker.wire.payload import Record
from firstline import cli
from firstline.exits import ExitCode
from firstline.packing.split import split_weights
from tests.unit.firstline.onnx_file import write_inline, write_scaled
from tests.unit.firstline.packed import brought, pack


def test_weights_beside_a_model_are_packed_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = write_scaled(tmp_path / "scaled.onnx", scale=(0.0, 1.0, 0.0))
    fields = ("--number", "a", "--number", "b", "--number", "c")

    manifest = pack(tmp_path / "scaled.onnx", *fields)

    assert manifest is not None
    assert beside.name in dict(manifest.files)
    beside.unlink()
    assert cli.main(["model", "pack", str(tmp_path / "scaled.onnx"), *fields]) == ExitCode.MODEL
    assert "keeps weights in scaled.onnx.data, which is not beside it" in capsys.readouterr().err


def test_heavy_weights_are_laid_beside_the_graph_and_stay_the_same(tmp_path: Path) -> None:
    write_inline(tmp_path / "heavy.onnx", width=520)
    fields = [word for number in range(520) for word in ("--number", f"f{number}")]

    manifest = pack(tmp_path / "heavy.onnx", *fields)

    assert manifest is not None
    sizes = {name: (manifest.folder / name).stat().st_size for name, _ in manifest.files}
    assert sizes["model.data"] == 4 * 520 * 520
    assert sizes["model.onnx"] < 1000
    ones = Record({f"f{number}": 1.0 for number in range(520)})
    assert load_package(manifest.folder).answer(ones, "heavy").answer == "519"


def test_light_weights_stay_inside(tmp_path: Path) -> None:
    manifest = pack(
        brought("torch_conv", tmp_path), "--channel", "x", "--channel", "y", "--rate-hz", "1"
    )

    assert manifest is not None
    assert sorted(dict(manifest.files)) == ["labels.txt", "model.onnx"]


def test_weights_that_lie_there_are_not_overwritten(tmp_path: Path) -> None:
    write_inline(tmp_path / "model.onnx", width=520)
    (tmp_path / "model.data").write_bytes(b"of the same model")
    before = (tmp_path / "model.onnx").read_bytes()

    split_weights(tmp_path / "model.onnx")

    assert (tmp_path / "model.data").read_bytes() == b"of the same model"
    assert (tmp_path / "model.onnx").read_bytes() == before
