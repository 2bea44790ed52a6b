"""The shipped packages answer, a brought one runs, and a broken one says how it is broken."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from broker.package.errors import (
    DamagedFileError,
    EngineError,
    InputMismatchError,
    ManifestError,
    PackageError,
)
from broker.package.load import load_package
from broker.package.manifest import load_manifest
from broker.package.model import Found, PackageModel
from broker.package.onnx import OnnxModel
from broker.wire.payload import Payload, Record, Text, Window
from tests.unit.package.packages import RAW_WINDOW, SHIPPED, brought, copy_of, edit, replace_weights

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))
NAMES = sorted(path.name for path in SHIPPED.iterdir() if path.is_dir())
# Sums of 8-bit products are exact; the float parts differ in the last bits between processors.
TOLERANCE = 0.02


def payload_of(case: dict[str, object]) -> Payload:
    match case:
        case {"text": str(text)}:
            return Text(text)
        case {"fields": dict(fields)}:
            return Record(fields)
        case {"samples": list(samples), "channels": list(channels), "rate_hz": float(rate_hz)}:
            return Window(np.array(samples, "<f4").tobytes(), tuple(channels), rate_hz)
        case _:
            raise AssertionError(case)


def window(*, rate_hz: float = 100.0) -> Window:
    samples = np.array([[1, 3], [1, 3], [1, 3], [1, 3]], "<f4")
    return Window(samples.tobytes(), ("x", "y"), rate_hz)


@pytest.fixture(scope="module")
def loaded() -> Callable[[str], PackageModel]:
    models: dict[str, PackageModel] = {}

    def load(name: str) -> PackageModel:
        if name not in models:
            models[name] = load_package(SHIPPED / name)
        return models[name]

    return load


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['package']}-{case['label']}")
def test_a_shipped_package_answers_as_it_did_when_it_was_packed(
    loaded: Callable[[str], PackageModel], case: dict[str, object]
) -> None:
    found = loaded(str(case["package"])).answer(payload_of(case), str(case["domain"]))

    expected = Found(
        str(case["label"]),
        pytest.approx(case["score"], abs=TOLERANCE),  # type: ignore[arg-type]
        truncated=case["truncated"] is True,
        out_of_scope=case["out_of_scope"] is True,
    )
    assert replace(found, outside=0.0) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_head_of_a_shipped_package_is_calibrated(
    loaded: Callable[[str], PackageModel], name: str
) -> None:
    model = loaded(name)

    for head in model.manifest.heads:
        knots = head.knots
        assert len(knots) > 1
        assert knots == tuple(sorted(knots))


def test_the_shipped_weights_fit_into_the_repository() -> None:
    sizes = [path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()]

    assert sum(sizes) <= 45e6


def test_the_small_model_is_several_times_faster_than_the_large(
    loaded: Callable[[str], PackageModel],
) -> None:
    def fastest_s(name: str) -> float:
        model, text, best = loaded(name), Text("turn off the light in the hall"), float("inf")
        for _ in range(30):
            started_s = time.perf_counter()
            model.answer(text, "home")
            best = min(best, time.perf_counter() - started_s)
        return best

    assert fastest_s("commands-small") * 2 < fastest_s("commands-large")


def test_a_long_text_is_cut_and_the_answer_says_so(
    loaded: Callable[[str], PackageModel],
) -> None:
    found = loaded("commands-small").answer(Text("wake me up at seven " * 40), "home")

    assert found.truncated


def test_a_placeholder_is_read_as_the_words_that_stand_for_it(
    tmp_path: Path, loaded: Callable[[str], PackageModel]
) -> None:
    folder = copy_of("commands-small", tmp_path)
    edit(folder, 'PERSON = "smith"', 'PERSON = "jones"')
    text = Text("call <PERSON_1> and <PERSON_12>, not <person_1> or <NOBODY_1>")

    answer = load_package(folder).answer(text, "home")

    said = Text("call jones and jones, not <person_1> or <NOBODY_1>")
    assert answer == loaded("commands-small").answer(said, "home")
    assert answer != loaded("commands-small").answer(text, "home")


def test_probabilities_are_those_of_all_labels() -> None:
    model = OnnxModel(load_manifest(SHIPPED / "commands-small"))

    chances = model.probabilities(Text("what time is it"), "assistant")

    assert chances.shape == (151,)
    assert chances.sum() == pytest.approx(1.0, abs=1e-5)


def test_a_brought_model_takes_the_samples_as_they_are(tmp_path: Path) -> None:
    model = load_package(brought(tmp_path))

    found = model.answer(window(), "shaker/axis")

    assert found.answer == "along y"
    assert found.score == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-5)
    assert model.manifest.head("shaker/axis").knots == ()


def test_a_payload_of_another_kind_is_refused(loaded: Callable[[str], PackageModel]) -> None:
    with pytest.raises(InputMismatchError, match="commands-small takes a text, not a record"):
        loaded("commands-small").answer(Record({"a": 1.0}), "home")


def test_a_window_of_another_rate_is_refused(tmp_path: Path) -> None:
    model = load_package(brought(tmp_path))

    with pytest.raises(InputMismatchError, match="50 Hz"):
        model.answer(window(rate_hz=50.0), "shaker/axis")


def test_an_unknown_domain_is_refused(loaded: Callable[[str], PackageModel]) -> None:
    with pytest.raises(ManifestError, match="no domain 'office'"):
        loaded("commands-small").answer(Text("hello"), "office")


def test_a_cut_short_download_is_refused_by_its_hash(tmp_path: Path) -> None:
    folder = copy_of("engine-small", tmp_path)
    weights = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(weights[: len(weights) // 2])

    with pytest.raises(DamagedFileError, match="not the file that was packed"):
        load_package(folder)


FOREIGN = {
    "cut short, but signed for": (RAW_WINDOW.read_bytes()[:100], "cannot be loaded as an ONNX"),
    "text": (b"these are not weights", "cannot be loaded as an ONNX"),
    "a GGUF file": (b"GGUF\x03\x00\x00\x00", r"a GGUF file, for llama\.cpp"),
    "a PyTorch checkpoint": (b"PK\x03\x04....", "PyTorch checkpoint"),
    "a Git LFS pointer": (b"version https://git-lfs", "git lfs pull"),
    "nothing": (b"", "cannot be loaded as an ONNX"),
}


@pytest.mark.parametrize(("content", "message"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_file_that_is_no_onnx_model_is_explained(
    tmp_path: Path, content: bytes, message: str
) -> None:
    folder = brought(tmp_path)
    replace_weights(folder, content)

    with pytest.raises(EngineError, match=message):
        load_package(folder)


MISDESCRIBED = {
    "an output that is not there": (
        'domain = "shaker/axis"',
        'domain = "shaker/axis"\noutput = "scores"',
        r"mine\.onnx: head shaker/axis needs an output 'scores'; the model has logits",
    ),
    "a feature that is not there": ("length = 4", 'length = 4\nfeatures = ["mode"]', "'mode'"),
    "a vocabulary that is none": (
        'payload = "window"\nchannels = ["x", "y"]\nlength = 4\nrate_hz = 100.0',
        (
            'payload = "text"\ntokenizer = "wordpiece-uncased"\n'
            'vocabulary = "labels.txt"\nmax_tokens = 8'
        ),
        r"the vocabulary has no \[CLS\]",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), MISDESCRIBED.values(), ids=MISDESCRIBED.keys())
def test_a_package_that_describes_another_model_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    folder = brought(tmp_path)
    edit(folder, old, new)

    with pytest.raises(ManifestError, match=message):
        load_package(folder)


def test_a_model_that_gives_another_number_of_values_is_refused(tmp_path: Path) -> None:
    folder = copy_of("engine-small", tmp_path)
    path = folder / "labels.txt"
    before = path.read_bytes()
    path.write_text("fine\nbroken\n", encoding="utf-8")
    hashes = [hashlib.sha256(content).hexdigest() for content in (before, path.read_bytes())]
    edit(folder, *hashes)

    with pytest.raises(ManifestError, match=r"has 3 values, but the head .* has 2 labels"):
        load_package(folder)


def test_a_window_of_another_length_than_the_models_is_refused(tmp_path: Path) -> None:
    folder = brought(tmp_path)
    edit(folder, "length = 4", "length = 3")

    with pytest.raises(ManifestError, match=r"makes \(1, 3, 2\), but 'samples' .* \(1, 4, 2\)"):
        load_package(folder)


def test_every_refusal_is_a_package_error() -> None:
    kinds = (DamagedFileError, EngineError, InputMismatchError, ManifestError)

    assert all(issubclass(kind, PackageError) for kind in kinds)
