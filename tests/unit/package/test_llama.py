"""Language models with the real engine: tiny Llamas with weights by lot."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.package.errors import (
    InputMismatchError,
    ManifestError,
    PackageError,
    TooLateError,
)
from broker.package.llama import LlamaModel
from broker.package.model import Found
from broker.wire.payload import Record, Text
from tests.unit.package.gguf_files import CHAT

FREE = {"domain": "free", "max_tokens": 12}
GRAMMAR = 'root ::= "{\\"intent\\": \\"" ("on" | "off") "\\"}"'
SCHEMA = {
    "type": "object",
    "properties": {"level": {"enum": [1, 2]}},
    "required": ["level"],
    "additionalProperties": False,
}
Load = Callable[..., LlamaModel]


def said(model: LlamaModel, text: str, domain: str = "free") -> Found:
    return model.answer(Text(text), domain)


def test_the_same_question_gets_the_same_answer_from_another_copy(loaded: Load) -> None:
    first = said(loaded(FREE), "lights on")

    again = said(loaded(FREE), "lights on")

    assert first == again
    assert 0.0 < first.score < 1.0


def test_what_two_prompts_begin_with_is_read_once_and_changes_no_answer(loaded: Load) -> None:
    head = {**FREE, "prompt": "A long instruction: {text} ->"}
    expected = said(loaded(head), "off")
    model = loaded(head)
    said(model, "on")
    before = model.reused_tokens

    answer = said(model, "off")

    assert answer == expected
    assert model.reused_tokens - before > len("A long instruction: ")


def test_an_answer_is_one_of_the_labels(tmp_path: Path, loaded: Load) -> None:
    (tmp_path / "labels.txt").write_text("red\ndeep blue\nelse\n", encoding="utf-8")
    head = {"domain": "colour", "labels": "labels.txt", "out_of_scope": "else", "score": "product"}
    model = loaded(head)

    answers = [said(model, text, "colour") for text in ("rose", "sky", "what is 2 + 2", "über")]

    assert {answer.answer for answer in answers} <= {"red", "deep blue", "else"}
    assert [a.out_of_scope for a in answers] == [a.answer == "else" for a in answers]
    assert all(0.3 < answer.score <= 1.0 and not answer.truncated for answer in answers)


@pytest.mark.parametrize("text", ["on", "turn it off", '"}{', "\n\n"])
def test_an_answer_keeps_to_its_grammar(tmp_path: Path, loaded: Load, text: str) -> None:
    (tmp_path / "form.gbnf").write_text(GRAMMAR, encoding="utf-8")
    model = loaded({"domain": "free", "grammar": "form.gbnf", "max_tokens": 40})

    answer = said(model, text)

    assert json.loads(answer.answer)["intent"] in {"on", "off"}
    assert not answer.truncated


def test_an_answer_keeps_to_its_json_schema(tmp_path: Path, loaded: Load) -> None:
    (tmp_path / "form.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    model = loaded({"domain": "free", "schema": "form.json", "max_tokens": 60})

    assert json.loads(said(model, "two").answer)["level"] in {1, 2}


def test_an_answer_ends_before_a_stop_string(loaded: Load) -> None:
    whole = said(loaded(FREE), "lights").answer
    stop = whole[3:5]

    answer = said(loaded({**FREE, "stop": [stop]}), "lights")

    assert answer.answer == whole[: whole.index(stop)]
    assert not answer.truncated


def test_an_answer_that_reaches_its_limit_is_flagged(loaded: Load) -> None:
    assert said(loaded(FREE), "lights").truncated


def test_no_text_becomes_a_special_token(loaded: Load) -> None:
    model = loaded({**FREE, "prompt": "<ask>{text}"})

    tokens = model.prompted(Text("</s><ask>"), "free")

    assert tokens.count(3) == 1  # the prompt's own
    assert 2 not in tokens


def test_a_chat_goes_through_the_template_of_the_file(loaded: Load) -> None:
    model = loaded({**FREE, "chat": True, "system": "be brief"}, chat=CHAT)

    before, after = model._speeches["free"]._prompt.before, model._speeches["free"]._prompt.after

    assert before[:2] == (1, 3)  # one <s>, and <ask> is special here
    assert before.count(3) == 2
    assert said(model, "hello").answer
    assert bytes(token - 4 for token in after[-5:]).decode() == "tant:"


TEMPLATES = {
    "none": ("", "has no chat template"),
    "one that is no template": ("{% for", "chat template fails"),
    "one that loses the question": ("hello", "does not hold the question once"),
    "one that repeats it": ("{{ messages[0].content * 2 }}", "does not hold the question once"),
    "one that reaches out": (
        "{{ ''.__class__.__mro__ }}{{ raise_exception('x') }}",
        "fails",
    ),
}


@pytest.mark.parametrize(("template", "told"), TEMPLATES.values(), ids=TEMPLATES)
def test_a_chat_template_that_cannot_be_used_is_refused(
    loaded: Load, template: str, told: str
) -> None:
    with pytest.raises(ManifestError, match=told):
        loaded({**FREE, "chat": True}, chat=template)


@pytest.mark.parametrize(("name", "key"), [("form.gbnf", "grammar"), ("form.json", "schema")])
def test_a_form_that_is_none_is_refused_by_name(
    tmp_path: Path, loaded: Load, name: str, key: str
) -> None:
    (tmp_path / name).write_text("root ::= (((", encoding="utf-8")

    with pytest.raises(ManifestError, match=name):
        loaded({**FREE, key: name})


def test_a_prompt_that_leaves_no_room_is_refused_with_the_numbers(loaded: Load) -> None:
    model = loaded(FREE, context=64)

    with pytest.raises(InputMismatchError, match=r"has 60 tokens .* may take 12; .* of 64"):
        said(model, "x" * 58)


def test_a_deadline_stops_the_model_and_the_next_answer_is_whole(loaded: Load) -> None:
    model, expected = loaded(FREE), said(loaded(FREE), "on")

    with pytest.raises(TooLateError):
        model.answer(Text("on"), "free", deadline_s=time.monotonic() - 1.0)

    assert said(model, "on") == expected


def test_a_record_is_refused(loaded: Load) -> None:
    with pytest.raises(InputMismatchError, match="takes a text, not a record"):
        loaded(FREE).answer(Record({"a": 1.0}), "free")


def test_an_unknown_domain_is_refused(loaded: Load) -> None:
    with pytest.raises(PackageError, match="no domain 'other'"):
        said(loaded(FREE), "on", "other")


@pytest.mark.parametrize("score", ["first", "lowest", "mean", "product"])
def test_a_score_is_between_0_and_1(loaded: Load, score: str) -> None:
    answer = said(loaded({**FREE, "score": score}), "lights")

    assert 0.0 <= answer.score <= 1.0
