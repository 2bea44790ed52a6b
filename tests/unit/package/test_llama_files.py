"""What can be wrong with a language model's files, and what belongs to it beside its weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from broker.package.errors import EngineError
from broker.package.llama import LlamaModel
from broker.package.load import load_package
from broker.wire.payload import Text
from tests.unit.package.gguf_files import (
    describe,
    write_adapter,
    write_encoder,
    write_model,
)

FREE = {"domain": "free", "max_tokens": 12}
Load = Callable[..., LlamaModel]


def test_adapters_are_swapped_without_loading_the_base_again(tmp_path: Path, loaded: Load) -> None:
    write_adapter(tmp_path / "lora.gguf")
    model = loaded(FREE, {**FREE, "domain": "adapted", "adapter": "lora.gguf"})
    weights = model._weights.model

    answers = [
        model.answer(Text("lights"), domain) for domain in ("free", "adapted", "free", "adapted")
    ]

    assert answers[0] == answers[2]
    assert answers[1] == answers[3]
    assert answers[0].answer != answers[1].answer
    assert model._weights.model is weights


def test_an_adapter_for_other_weights_is_refused(tmp_path: Path, loaded: Load) -> None:
    write_adapter(tmp_path / "lora.gguf", width=64)

    with pytest.raises(EngineError, match=r"lora.gguf is no LoRA adapter for model.gguf"):
        loaded({**FREE, "adapter": "lora.gguf"}).answer(Text("lights"), "free")


def test_a_model_that_computes_no_number_is_an_error_and_no_answer(loaded: Load) -> None:
    with pytest.raises(EngineError, match="no number"):
        loaded(FREE, broken=True).answer(Text("lights"), "free")


def test_an_unknown_architecture_is_told(loaded: Load) -> None:
    with pytest.raises(EngineError, match="unknown model architecture: 'lama'"):
        loaded(FREE, architecture="lama")


CUT = {
    "in its weights": (-4000, "not within the file bounds"),
    "in its description": (200, "cut short"),
    "after its first letters": (6, "cut short"),
}


@pytest.mark.parametrize(("size", "told"), CUT.values(), ids=CUT)
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, size: int, told: str) -> None:
    write_model(tmp_path / "model.gguf")
    whole = (tmp_path / "model.gguf").read_bytes()
    (tmp_path / "model.gguf").write_bytes(whole[:size])
    describe(tmp_path, FREE)

    with pytest.raises(EngineError, match=told):
        load_package(tmp_path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"PK\x03\x04 a zip archive")
    describe(tmp_path, FREE)

    with pytest.raises(EngineError, match="no GGUF file"):
        load_package(tmp_path)


def test_a_model_with_an_encoder_reads_each_question_anew(tmp_path: Path) -> None:
    write_encoder(tmp_path / "model.gguf")
    describe(tmp_path, FREE)
    model = load_package(tmp_path)

    answers = [model.answer(Text(text), "free") for text in ("lights", "sky", "lights")]

    assert answers[0] == answers[2]
    assert answers[0].score != answers[1].score


def test_a_model_for_embeddings_is_refused(tmp_path: Path) -> None:
    write_encoder(tmp_path / "model.gguf", decoder=False)
    describe(tmp_path, FREE)

    with pytest.raises(EngineError, match="writes nothing"):
        load_package(tmp_path)
