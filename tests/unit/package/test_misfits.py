"""A description that does not fit its model, and a model that gives nonsense, are told as such."""

import struct
from pathlib import Path

import pytest

from broker.package.errors import EngineError, InputMismatchError, ManifestError
from broker.package.load import load_package
from broker.wire.payload import Record, Window
from tests.unit.firstline.onnx_file import FLOAT, INT64, node, write_nodes
from tests.unit.package.packages import sha256
from tests.unit.package.strangers import BROUGHT

HEAD = """\
name = "odd"
version = "1.0.0"
kind = "{kind}"
engine = "onnxruntime"
file = "odd.onnx"
licence = "CC0-1.0"
ram_mb = 1
[files]
"odd.onnx" = "{weights}"
"labels.txt" = "{labels}"
[input]
{given}
[[heads]]
domain = "d"
{head}
"""
LABELS = 'labels = "labels.txt"'
NUMBER = "tolerance = 0.1"
WINDOW = 'payload = "window"\nchannels = ["x", "y"]\nlength = 3\nrate_hz = 1.0'
THREE = 'payload = "record"\nnumbers = ["a", "b", "c"]'


def odd(
    folder: Path, given: str, *, head: str = LABELS, stranger: str = "", labels: str = "abc"
) -> Path:
    """A package around `odd.onnx`, or around a copy of a stranger's model."""
    if stranger:
        (folder / "odd.onnx").write_bytes((BROUGHT / f"{stranger}.onnx").read_bytes())
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    kind = "classification" if head == LABELS else "regression"
    hashes = {"weights": sha256(folder / "odd.onnx"), "labels": sha256(folder / "labels.txt")}
    text = HEAD.format(kind=kind, given=given, head=head, **hashes)
    (folder / "package.toml").write_text(text, encoding="utf-8")
    return folder


MISFITS = {
    "a string without categories for a model of numbers": (
        "sklearn_zipmap",
        'payload = "record"\nnumbers = ["a"]\nstrings = { b = [] }',
        "'b' has no categories, and the model takes numbers",
    ),
    "a number where the model takes a string": (
        "sklearn_columns",
        'payload = "record"\nnumbers = ["speed", "mode"]',
        "takes a string as 'mode'",
    ),
    "a window for a model of several inputs": (
        "sklearn_columns",
        WINDOW,
        r"has 2 inputs \(speed, mode\); for a window it has one",
    ),
    "a text for a model of numbers": (
        "sklearn_zipmap",
        'payload = "text"\ntokenizer = "none"',
        "is for a model that takes a string, not X",
    ),
    "too few numbers": (
        "sklearn_zipmap",
        'payload = "record"\nnumbers = ["a"]',
        r"makes \(1, 1\), but 'X' of the model takes \(any, 2\)",
    ),
}


@pytest.mark.parametrize(("model", "given", "message"), MISFITS.values(), ids=MISFITS)
def test_a_description_of_another_model_is_refused(
    tmp_path: Path, model: str, given: str, message: str
) -> None:
    folder = odd(tmp_path, given, stranger=model)

    with pytest.raises(ManifestError, match=message):
        load_package(folder)


@pytest.mark.parametrize("shape", [(1, 6), (1, 1, 3, 2), (1, 3, 2)])
def test_a_window_takes_as_many_axes_as_the_model_has(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    flat = node("Flatten", ["x"], "y")
    write_nodes(tmp_path / "odd.onnx", [flat], given=(shape, FLOAT), made=(1, 6))
    model = load_package(odd(tmp_path, WINDOW, labels="abcdef"))
    window = Window(struct.pack("<6f", 0, 0, 1, 0, 0, 0), ("x", "y"), 1.0)

    assert model.answer(window, "d").answer == "c"


def test_a_fraction_for_a_model_of_whole_numbers_is_refused(tmp_path: Path) -> None:
    cast = node("Cast", ["x"], "y", to=FLOAT)
    write_nodes(tmp_path / "odd.onnx", [cast], given=((1, 3), INT64))
    model = load_package(odd(tmp_path, THREE))

    assert model.answer(Record({"a": 0.0, "b": 7.0, "c": 1.0}), "d").answer == "b"
    with pytest.raises(InputMismatchError, match="takes whole numbers as 'x'"):
        model.answer(Record({"a": 0.0, "b": 7.5, "c": 1.0}), "d")


@pytest.mark.parametrize("head", [LABELS, NUMBER])
def test_a_model_that_gives_no_number_is_told_so(tmp_path: Path, head: str) -> None:
    width = 3 if head == LABELS else 1
    fields = THREE if head == LABELS else 'payload = "record"\nnumbers = ["a"]'
    root = [node("Sqrt", ["x"], "y")]
    write_nodes(tmp_path / "odd.onnx", root, given=((1, width), FLOAT), made=(1, width))
    model = load_package(odd(tmp_path, fields, head=head))

    with pytest.raises(EngineError, match="finite"):
        model.answer(Record(dict.fromkeys(["a", "b", "c"][:width], -1.0)), "d")


def test_a_regressor_of_several_numbers_is_refused(tmp_path: Path) -> None:
    write_nodes(tmp_path / "odd.onnx", [node("Relu", ["x"], "y")])

    with pytest.raises(ManifestError, match="with 3 values; the head d needs one number"):
        load_package(odd(tmp_path, THREE, head=NUMBER))


def test_a_field_of_another_kind_is_refused_by_a_model_of_columns(tmp_path: Path) -> None:
    given = 'payload = "record"\nnumbers = ["speed"]\nstrings = { mode = [] }'
    head = 'labels = "labels.txt"\noutput = "output_probability"'
    folder = odd(tmp_path, given, stranger="sklearn_columns", head=head)
    text = (folder / "package.toml").read_text().replace("regression", "classification")
    (folder / "package.toml").write_text(text)
    model = load_package(folder)

    with pytest.raises(InputMismatchError, match="mode is a number; the model takes a string"):
        model.answer(Record({"speed": 1.0, "mode": 2.0}), "d")
