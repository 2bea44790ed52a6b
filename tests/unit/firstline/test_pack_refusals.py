"""`firstline model pack` refuses what no package can hold, in words that say what it is."""

from pathlib import Path

import pytest

from broker.package.errors import EngineError
from broker.package.session import Session
from firstline.exits import ExitCode
from tests.unit.firstline.onnx_file import STRING, node, write_nodes
from tests.unit.firstline.packed import identity, pack
from tests.unit.package.strangers import BROUGHT


def test_an_image_has_no_payload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack(identity(tmp_path, ("n", 3, 224, 224)), code=ExitCode.MODEL)

    assert "has no image payload" in capsys.readouterr().err


def test_an_operator_that_nobody_has_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "custom.onnx"
    write_nodes(path, [node("Fold", ["x"], "y", domain="com.example")])

    pack(path, code=ExitCode.MODEL)

    assert "needs the operator Fold of com.example" in capsys.readouterr().err


def test_a_language_that_the_machine_does_not_have_is_told(tmp_path: Path) -> None:
    path = tmp_path / "words.onnx"
    lower = node("StringNormalizer", ["x"], "y", locale="xx_XX.UTF-8", case_change_action="LOWER")
    write_nodes(path, [lower], given=(("n",), STRING), made=("n",), gives=STRING)

    with pytest.raises(EngineError, match="needs a locale that this machine does not have"):
        Session(path, threads=1)


def test_an_output_for_every_token_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = identity(tmp_path, (1, 3), made=(1, "tokens", 9))

    pack(model, "--number", "a", "--number", "b", "--number", "c", code=ExitCode.MODEL)

    assert "needs one output with a score for each label" in capsys.readouterr().err


FOREIGN = {
    "a zip archive": (b"PK\x03\x04" + bytes(20), "a zip archive"),
    "a Python pickle": (b"\x80\x04\x95" + bytes(20), "it can run any code"),
    "safetensors": ((80).to_bytes(8, "little") + b'{"a": 1}', "a safetensors file"),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "a web page": (b"\n<!DOCTYPE html><html>", "a web page"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(20), "TensorFlow Lite"),
    "nothing": (b"", "is empty"),
    "prose": (b"these are not weights, by any means", "cannot be read as an ONNX file"),
    "half a model": (
        (BROUGHT / "torch_bert.onnx").read_bytes()[:900],
        "it is cut short, or no ONNX file",
    ),
    "a message without a graph": (b"\x08\x08", "there is no graph in it"),
}


@pytest.mark.parametrize(("content", "message"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_another_kind_is_named(
    tmp_path: Path, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(content)

    pack(model, code=ExitCode.MODEL)

    assert message in capsys.readouterr().err
