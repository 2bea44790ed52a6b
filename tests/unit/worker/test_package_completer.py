"""A shipped package behind a worker."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broker.wire.messages import Question, dump_reply, load_reply
from broker.wire.payload import Record, Text
from cloud_worker.errors import ModelLoadError, SaturatedError, UnfitQuestionError
from cloud_worker.models import Kind
from cloud_worker.package import PackageCompleter, _chance
from tests.unit.package.gguf_files import describe, write_model

pytest.importorskip("onnxruntime")

PACKAGE = Path(__file__).parents[3] / "firmware_configs" / "models" / "commands-small"
LONG_S = 1e9
LAMP = Question("home", Text("turn off the lights in the kitchen of <NAME_1>"))


@pytest.fixture(scope="module")
def completer() -> PackageCompleter:
    return PackageCompleter(PACKAGE, copies=2)


def test_a_question_is_answered_with_its_placeholders(completer: PackageCompleter) -> None:
    answer = completer.complete(LAMP, LONG_S)

    assert answer.text.endswith(" <NAME_1>")
    assert "light" in answer.text
    assert answer.model == completer.model
    assert 0.0 < answer.confidence <= 1.0
    assert load_reply(dump_reply(answer)) == answer


def test_every_domain_of_a_package_is_served(completer: PackageCompleter) -> None:
    engines = completer.completers()

    assert set(engines) == set(completer.domains)
    assert len(set(engines.values())) == 1  # whose threads they share
    assert (engines["home"].model, engines["home"].concurrency) == (completer.model, 2)


def test_several_threads_may_ask_at_once(completer: PackageCompleter) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(completer.complete, [LAMP] * 40, [LONG_S] * 40))

    assert answers == {completer.complete(LAMP, LONG_S)}


def test_a_payload_that_the_model_does_not_take_is_unfit(completer: PackageCompleter) -> None:
    with pytest.raises(UnfitQuestionError, match="takes a text, not a record"):
        completer.complete(Question("home", Record({"a": 1.0})), LONG_S)

    assert (
        completer.complete(LAMP, LONG_S).model == completer.model
    )  # the copy that refused is free


def test_a_package_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"package\.toml"):
        PackageCompleter(tmp_path)


KNOTS = ((0.2, 0.1), (0.6, 0.5), (1.0, 0.9))


@pytest.mark.parametrize(
    ("score", "chance"), [(0.0, 0.1), (0.2, 0.1), (0.4, 0.3), (0.6, 0.5), (1.0, 0.9)]
)
def test_a_score_becomes_a_chance(score: float, chance: float) -> None:
    assert _chance(score, KNOTS) == pytest.approx(chance)


def test_a_model_that_was_never_measured_is_never_trusted() -> None:
    assert _chance(1.0, ()) == 0.0


def test_a_language_model_is_served_as_any_other_package(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp")
    write_model(tmp_path / "model.gguf")
    describe(tmp_path, {"domain": "free", "max_tokens": 4}, {"domain": "more", "max_tokens": 80})
    counted: list[tuple[Kind, str, int, int]] = []
    tiny = PackageCompleter(tmp_path, count_tokens=lambda *told: counted.append(told))

    answer = tiny.complete(Question("more", Text("on")), LONG_S)
    with pytest.raises(SaturatedError, match="more time than the device gives"):
        tiny.complete(Question("more", Text("on")), time.monotonic() - 1.0)
    tiny.close()

    ((kind, model, asked, said),) = counted
    assert (kind, model, said) == (Kind("text_completion", "llama.cpp"), "tiny 0.1.0", 80)
    assert asked > 0
    assert (tiny.engine, tiny.domains) == ("llama.cpp", ("free", "more"))
    assert (answer.model, answer.confidence, answer.truncated) == ("tiny 0.1.0", 0.0, True)
