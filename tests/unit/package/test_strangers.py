"""Models as other people export them answer, each in its own way of taking and giving."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

from broker.package.errors import EngineError, InputMismatchError, ManifestError
from broker.package.load import load_package
from broker.package.model import Found
from broker.package.onnx import OnnxModel
from broker.package.session import Session
from broker.wire.payload import Payload, Record, Text, Window
from tests.unit.package.packages import edit
from tests.unit.package.strangers import stranger

PAIR = 'payload = "record"\nnumbers = ["a", "b"]'
COLUMNS = 'payload = "record"\nnumbers = ["speed"]\nstrings = { mode = [] }'
CONV = 'payload = "window"\nchannels = ["x", "y"]\nlength = 8\nrate_hz = 10.0\n'
BERT = (
    'payload = "text"\ntokenizer = "tokenizer.json"\nvocabulary = "tokenizer.json"\nmax_tokens = 5'
)
NAMED = 'scores = "probabilities"\noutput = "{}"'
TOLERANCE = "tolerance = 0.5"


def found(folder: Path, payload: Payload) -> Found:
    return load_package(folder).answer(payload, "d")


def window(*, first_channel: float = 0.0) -> Window:
    samples = np.zeros((8, 2), "<f4")
    samples[:, 0] = first_channel
    samples[3, 1] = 1.0
    return Window(samples.tobytes(), ("x", "y"), 10.0)


def test_a_list_of_mappings_is_read_by_its_labels(tmp_path: Path) -> None:
    head = NAMED.format("output_probability")
    folder = stranger(tmp_path, "sklearn_zipmap", PAIR, labels=("cold", "hot"), head=head)

    assert found(folder, Record({"a": 9.0, "b": 1.0})).answer == "hot"
    assert found(folder, Record({"a": 1.0, "b": 9.0})).answer == "cold"


def test_numbered_classes_keep_their_order(tmp_path: Path) -> None:
    head = NAMED.format("probabilities")
    folder = stranger(tmp_path, "sklearn_numbered", PAIR, labels=("1", "2", "3"), head=head)

    answers = [found(folder, Record({"a": x, "b": x})).answer for x in (1.0, 5.0, 10.0)]

    assert answers == ["1", "2", "3"]


def test_a_model_with_an_input_for_each_field_takes_strings_as_they_are(tmp_path: Path) -> None:
    head = NAMED.format("output_probability")
    folder = stranger(tmp_path, "sklearn_columns", COLUMNS, labels=("calm", "hot"), head=head)

    assert found(folder, Record({"speed": 80.0, "mode": "on"})).answer == "hot"
    assert found(folder, Record({"speed": 80.0, "mode": "never seen"})).answer == "calm"


def test_a_category_that_the_package_lists_is_the_only_one(tmp_path: Path) -> None:
    given = COLUMNS.replace("[] }", '["off", "on"] }')
    head = NAMED.format("output_probability")
    folder = stranger(tmp_path, "sklearn_columns", given, labels=("calm", "hot"), head=head)

    assert found(folder, Record({"speed": 80.0, "mode": "on"})).answer == "hot"
    with pytest.raises(InputMismatchError, match="mode must be one of off, on"):
        found(folder, Record({"speed": 80.0, "mode": "secret"}))


def test_a_model_that_cuts_the_text_itself_gets_the_text(tmp_path: Path) -> None:
    given, labels = 'payload = "text"\ntokenizer = "none"', ("music", "off", "on")
    head = NAMED.format("probabilities")
    folder = stranger(tmp_path, "sklearn_text", given, labels=labels, head=head)

    assert found(folder, Text("turn on the light")).answer == "on"
    assert found(folder, Text("music please")).answer == "music"


@pytest.mark.parametrize("name", ["sklearn_regressor", "sklearn_double"])
def test_a_regressor_answers_with_a_number(tmp_path: Path, name: str) -> None:
    folder = stranger(tmp_path, name, PAIR, head=TOLERANCE)

    answer = found(folder, Record({"a": 4.0, "b": 1.0}))

    assert float(answer.answer) == pytest.approx(10.0, abs=1e-4)
    assert (answer.score, answer.out_of_scope) == (1.0, False)
    assert answer.answer == "10"  # the noise behind the tolerance is not told
    assert "e" not in found(folder, Record({"a": 4e12, "b": 1.0})).answer
    assert found(folder, Record({"a": 0.0, "b": 3.0001})).answer == "0"  # and not -0


def test_a_regressor_has_no_probabilities(tmp_path: Path) -> None:
    model = load_package(stranger(tmp_path, "sklearn_regressor", PAIR, head=TOLERANCE))
    assert isinstance(model, OnnxModel)

    with pytest.raises(EngineError, match="without labels"):
        model.probabilities(Record({"a": 4.0, "b": 1.0}), "d")


def test_a_deviation_says_how_likely_the_number_is_near(tmp_path: Path) -> None:
    # The same output as number and as deviation: 2 a - b + 3 = 0.5, and the tolerance is 0.5.
    head = TOLERANCE + '\noutput = "variable"\ndeviation = "variable"'
    folder = stranger(tmp_path, "sklearn_regressor", PAIR, head=head)

    answer = found(folder, Record({"a": 0.0, "b": 2.5}))

    assert answer.score == pytest.approx(math.erf(1 / math.sqrt(2)), abs=1e-4)  # 68.3 %
    with pytest.raises(EngineError, match="cannot be below 0"):
        found(folder, Record({"a": 0.0, "b": 9.0}))


def test_a_window_goes_channels_first_where_the_model_wants_it(tmp_path: Path) -> None:
    given = CONV + 'layout = "channels_first"'
    folder = stranger(
        tmp_path, "torch_conv", given, labels=("a", "b"), head=NAMED.format("probabilities")
    )
    model = load_package(folder)
    assert isinstance(model, OnnxModel)

    chances = model.probabilities(window(first_channel=2.0), "d")

    assert chances.sum() == pytest.approx(1.0, abs=1e-5)
    other = model.probabilities(window(first_channel=-2.0), "d")
    assert abs(chances - other).max() > 1e-3


def test_a_window_regressor_answers_as_the_model_does_channels_first(tmp_path: Path) -> None:
    given = CONV + 'layout = "channels_first"'
    head = "tolerance = 0.0001"
    folder = stranger(tmp_path, "torch_window_regressor", given, head=head)
    asked = window(first_channel=2.0)
    samples = np.frombuffer(asked.samples, "<f4").reshape(8, 2)

    answer = float(found(folder, asked).answer)

    session = Session(folder / "torch_window_regressor.onnx", threads=1)
    (direct,) = session.run(["y"], {"x": samples.T[np.newaxis]})
    assert answer == pytest.approx(np.asarray(direct).item(), abs=1e-5)


def test_a_window_in_the_other_layout_is_refused(tmp_path: Path) -> None:
    folder = stranger(tmp_path, "torch_window_regressor", CONV, head=TOLERANCE)

    with pytest.raises(ManifestError, match=r"makes \(1, 8, 2\), but 'x' .* \(1, 2, 8\)"):
        load_package(folder)


def test_a_model_with_berts_inputs_gets_ids_mask_and_types(tmp_path: Path) -> None:
    folder = stranger(tmp_path, "torch_bert", BERT, labels=("a", "b", "c"))
    model = load_package(folder)
    assert isinstance(model, OnnxModel)

    cased = model.probabilities(Text("Berlin rain"), "d")
    lower = model.probabilities(Text("berlin rain"), "d")

    assert abs(cased - lower).max() > 1e-3  # the tokenizer.json is cased
    assert not model.answer(Text("Berlin rain sun"), "d").truncated
    assert model.answer(Text("Berlin rain sun rain"), "d").truncated


def test_a_text_cannot_end_its_own_sentence(tmp_path: Path) -> None:
    folder = stranger(tmp_path, "torch_bert", BERT, labels=("a", "b", "c"))
    model = load_package(folder)
    assert isinstance(model, OnnxModel)

    special = model._prepared(Text("[SEP]")).feeds["input_ids"]

    assert special.tolist() == [[2, 8, 10, 9, 3]]


def test_inputs_that_nobody_calls_so_are_refused_with_the_known_names(tmp_path: Path) -> None:
    folder = stranger(tmp_path, "torch_bert", BERT, labels=("a", "b", "c"))
    edit(folder, BERT, 'payload = "record"\nnumbers = ["x"]')

    with pytest.raises(ManifestError, match="has the inputs attention_mask, input_ids"):
        load_package(folder)


def test_the_output_with_labels_is_not_the_one_with_scores(tmp_path: Path) -> None:
    head = NAMED.format("output_label")
    folder = stranger(tmp_path, "sklearn_zipmap", PAIR, labels=("cold", "hot"), head=head)

    with pytest.raises(ManifestError, match="labels without scores"):
        load_package(folder)


INCOMPLETE = {
    "a tokenizer without its vocabulary": ('vocabulary = "tokenizer.json"\n', "", "needs its voc"),
    "a tokenizer without a limit": ("\nmax_tokens = 5", "", "needs max_tokens"),
    "a vocabulary without a tokenizer": ('"tokenizer.json"\nv', '"none"\nv', "needs its voc"),
    "a tokenizer of another kind": ('"tokenizer.json"\nv', '"spm"\nv', "package.toml:14"),
}


@pytest.mark.parametrize(("old", "new", "message"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_a_tokenizer_is_described_whole(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = stranger(tmp_path, "torch_bert", BERT, labels=("a", "b", "c"))
    edit(folder, old, new)

    with pytest.raises(ManifestError, match=message):
        load_package(folder)


def test_a_damaged_tokenizer_is_explained(tmp_path: Path) -> None:
    folder = stranger(tmp_path, "torch_bert", BERT, labels=("a", "b", "c"))
    before = (folder / "tokenizer.json").read_bytes()
    (folder / "tokenizer.json").write_text("{}")
    edit(folder, *(hashlib.sha256(content).hexdigest() for content in (before, b"{}")))

    with pytest.raises(ManifestError, match=r"is no tokenizer\.json"):
        load_package(folder)
