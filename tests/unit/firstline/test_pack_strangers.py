"""`firstline model pack` decides what a file tells, asks for the rest at once, refuses in words."""

import json
from pathlib import Path

import pytest

from broker.package.load import load_package
from broker.wire.payload import Record, Text
from firstline import cli
from firstline.exits import ExitCode
from tests.unit.firstline.onnx_file import (
    FLOAT,
    node,
    write_first_tokens,
    write_nodes,
)
from tests.unit.firstline.packed import brought, identity, pack
from tests.unit.package.strangers import write_tokenizer


def decided(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    document = json.loads(capsys.readouterr().out)
    return {each["option"]: each["why"] for each in document["decided"]}


def test_a_look_tells_what_it_is_and_what_to_type_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = brought("torch_conv", tmp_path)

    assert cli.main(["model", "pack", str(model), "--inspect"]) == 0

    out = capsys.readouterr().out
    assert "input    x: tensor(float) (1, 2, 8)" in out
    assert "weights  float 100%" in out
    assert "MB predicted" in out
    assert f"Next:  firstline model pack {model} --channel NAME --rate-hz HZ\n" in out
    assert list(tmp_path.iterdir()) == [model]


def test_what_only_a_person_knows_is_asked_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = brought("torch_window_regressor", tmp_path)

    pack(model, code=ExitCode.USAGE)

    said = capsys.readouterr().err
    assert all(f"  {each}" in said for each in ("--channel", "--rate-hz", "--tolerance"))


def test_a_classifier_of_scikit_learn_needs_only_its_fields(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = brought("sklearn_zipmap", tmp_path)

    manifest = pack(model, "--number", "a", "--number", "b", "--json")

    assert manifest is not None
    assert manifest.heads[0].labels == ("cold", "hot")
    assert decided(capsys) == {
        "--name sklearn_zipmap": "after the file",
        "--domain sklearn_zipmap": "after the name",
        "--kind classification": "it scores labels",
        "--payload record": "fields were given",
        "--output output_probability": "the only one with scores",
        "labels cold, hot": "they are in the model",
        "--scores probabilities": "output_probability comes from LinearClassifier",
    }


@pytest.mark.parametrize("name", ["sklearn_text", "sklearn_columns"])
def test_a_whole_pipeline_of_scikit_learn_needs_nothing(tmp_path: Path, name: str) -> None:
    manifest = pack(brought(name, tmp_path))

    assert manifest is not None
    assert (manifest.name, manifest.kind) == (name, "classification")


def test_numbered_classes_are_labels(tmp_path: Path) -> None:
    manifest = pack(brought("sklearn_numbered", tmp_path), "--number", "a", "--number", "b")

    assert manifest is not None
    assert manifest.heads[0].labels == ("1", "2", "3")


def test_a_regressor_needs_its_tolerance(tmp_path: Path) -> None:
    model = brought("sklearn_double", tmp_path)

    manifest = pack(
        model, "--number", "a", "--number", "b", "--tolerance", "0.5", "--answer-unit", "K"
    )

    assert manifest is not None
    assert (manifest.kind, manifest.heads[0].unit) == ("regression", "K")  # type: ignore[attr-defined]


def test_the_layout_of_a_window_is_read_from_its_shape(tmp_path: Path) -> None:
    shape = ["--channel", "x", "--channel", "y", "--rate-hz", "10"]

    manifest = pack(brought("torch_conv", tmp_path), *shape)

    assert manifest is not None
    assert (manifest.input.layout, manifest.input.length) == ("channels_first", 8)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("shape", "more", "asked"),
    [
        ((1, 3, 3), ("--channel", "a", "--channel", "b", "--channel", "c"), "--layout"),
        ((1, 3, "time"), ("--channel", "a", "--channel", "b", "--channel", "c"), "--length"),
        ((1, 3, 8), ("--channel", "a"), "each of its 3 channels"),
    ],
)
def test_a_shape_that_fits_twice_or_nowhere_is_asked_about(
    tmp_path: Path,
    shape: tuple[int | str, ...],
    more: tuple[str, ...],
    asked: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pack(identity(tmp_path, shape), *more, "--rate-hz", "1", code=ExitCode.USAGE)

    assert asked in capsys.readouterr().err


def test_what_lies_beside_a_model_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "onnx").mkdir()
    model = brought("torch_bert", tmp_path / "onnx")
    write_tokenizer(tmp_path / "tokenizer.json")
    config = {"id2label": {"0": "sad", "1": "calm", "2": "glad"}, "max_position_embeddings": 40}
    (tmp_path / "config.json").write_text(json.dumps(config))

    manifest = pack(model, "--json")

    assert manifest is not None
    assert manifest.heads[0].labels == ("sad", "calm", "glad")
    assert manifest.input.max_tokens == 40  # type: ignore[union-attr]
    assert decided(capsys)["labels sad, calm, glad"] == "config.json id2label"


def test_without_labels_they_are_numbers_and_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = brought("torch_bert", tmp_path)
    write_tokenizer(tmp_path / "tokenizer.json")

    manifest = pack(model, "--json")

    assert manifest is not None
    assert manifest.heads[0].labels == ("0", "1", "2")
    assert decided(capsys)['labels "0" to "2"'] == "no --labels were given"


def test_how_many_labels_there_are_is_asked_where_the_model_does_not_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = identity(tmp_path, (1, 3), made=(1, "labels"))

    pack(model, "--number", "a", "--number", "b", "--number", "c", code=ExitCode.USAGE)

    assert "--labels FILE" in capsys.readouterr().err


def test_one_score_of_two_labels_is_a_classifier_if_it_is_called_one(tmp_path: Path) -> None:
    path = tmp_path / "binary.onnx"
    write_nodes(path, [node("Sigmoid", ["x"], "y")], given=((1, 1), FLOAT), made=(1, 1))

    manifest = pack(path, "--number", "a", "--kind", "classification")

    assert manifest is not None
    model = load_package(manifest.folder)
    found = [model.answer(Record({"a": number}), "binary") for number in (-5.0, 5.0)]
    assert [each.answer for each in found] == ["0", "1"]
    assert [round(each.score, 4) for each in found] == [0.9933, 0.9933]  # sigmoid of 5


def test_a_fixed_batch_is_filled_with_the_same_row(tmp_path: Path) -> None:
    path = tmp_path / "batch.onnx"
    write_nodes(path, [node("Relu", ["x"], "y")], given=((4, 3), FLOAT), made=(4, 3))

    manifest = pack(path, "--number", "a", "--number", "b", "--number", "c")

    assert manifest is not None
    best = load_package(manifest.folder).answer(Record({"a": 0.0, "b": 0.0, "c": 2.0}), "batch")
    assert (best.answer, round(best.score, 3)) == ("2", 0.787)  # softmax of 0, 0, 2


def test_a_model_of_a_fixed_length_gets_padding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_first_tokens(tmp_path / "six.onnx", labels=6, tokens=6)
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\nhello\n[PAD]\n")

    manifest = pack(tmp_path / "six.onnx", "--json")

    assert manifest is not None
    assert decided(capsys)["--max-tokens 6"] == "the model takes no other number"
    model = load_package(manifest.folder)
    # [CLS] hello hello [SEP] [PAD] [PAD]: the ids are the scores, and the first largest wins.
    assert model.answer(Text("hello hello"), "six").answer == "4"
    assert model.answer(Text("hello " * 5), "six").truncated


def test_a_number_is_shown_with_its_tolerance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = ("--tolerance", "0.5", "--answer-unit", "K")
    pack(brought("sklearn_regressor", tmp_path), "--number", "a", "--number", "b", *right)
    capsys.readouterr()

    assert cli.main(["model", "show", str(tmp_path / "package")]) == 0

    assert "sklearn_regressor: a number, right within 0.5 K" in capsys.readouterr().out
