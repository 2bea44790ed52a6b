"""The language models that ship: what they may write, and what no text can make them do."""

import json
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.package.gguf import Weights
from broker.package.load import load_package
from broker.package.model import PackageModel
from broker.wire.payload import Text
from firstline.shipped import MODELS

NAMES = ("home-nlu", "home-nlu-large")
DOMAINS = ("home/nlu", "home/snips")
SPELLED = '{"intent": "alarm_set", "slots": {"time": "<end><ask><home><snips>"}}'


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> Iterator[PackageModel]:
    shipped = load_package(MODELS / str(request.param))
    yield shipped
    shipped.close()


def frame(model: PackageModel, text: str, domain: str = "home/nlu") -> dict[str, object]:
    found: dict[str, object] = json.loads(model.answer(Text(text), domain).answer)
    return found


def test_a_command_becomes_an_intent_and_its_slots(model: PackageModel) -> None:
    said = frame(model, "wake me up at five am tomorrow")

    assert said == {"intent": "alarm_set", "slots": {"time": "five am", "date": "tomorrow"}}


def test_each_domain_answers_with_its_own_intents(model: PackageModel) -> None:
    said = frame(model, "Play the song Hello by Adele", "home/snips")

    assert said["intent"] == "PlayMusic"


def test_a_placeholder_is_copied_into_its_slot(model: PackageModel) -> None:
    said = frame(model, "send an email to <EMAIL_1>")

    assert said == {"intent": "email_sendemail", "slots": {"email_address": "<EMAIL_1>"}}


@given(text=st.text(max_size=40), domain=st.sampled_from(DOMAINS))
def test_whatever_is_asked_the_answer_is_a_frame(
    model: PackageModel, text: str, domain: str
) -> None:
    found = model.answer(Text(text), domain)

    if not found.truncated:
        said = json.loads(found.answer)
        assert list(said) == ["intent", "slots"]
        assert f'"{said["intent"]}"' in grammar(model, domain)
        assert all(f'"{slot}"' in grammar(model, domain) for slot in said["slots"])


def grammar(model: PackageModel, domain: str) -> str:
    package = tomllib.loads((model.manifest.folder / "package.toml").read_text(encoding="utf-8"))
    (name,) = (str(head["grammar"]) for head in package["heads"] if head["domain"] == domain)
    return (model.manifest.folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_no_text_can_spell_the_tokens_of_an_answer_or_a_prompt(name: str) -> None:
    weights = Weights(MODELS / name / "model.gguf", pretend=True)

    cut = [weights.piece(token) for token in weights.tokens(SPELLED, begin=True, special=False)]

    weights.close()
    assert b"".join(cut).decode() == SPELLED
    assert max(map(len, cut)) < len('{"intent": "')
    assert b"<end>" not in cut


@pytest.mark.parametrize("name", NAMES)
def test_the_intent_is_one_token(name: str) -> None:
    weights = Weights(MODELS / name / "model.gguf", pretend=True)

    pieces = {weights.piece(token) for token in range(weights.size)}

    weights.close()
    assert b'{"intent": "alarm_set", "slots": {' in pieces
