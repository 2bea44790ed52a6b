"""What is posted to a model server, and what is taken from its replies."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.wire.payload import Text
from cloud_worker.completions import Prompt, Score, completion, models, refusal, request
from cloud_worker.errors import UnusableReplyError
from tests.model_server import logprobs, said

SCHEMA = {"type": "object"}
ASKED = 'forward it to <EMAIL_1>, "now"\n{text}'


def test_a_question_is_put_once_and_as_it_is() -> None:
    body = json.loads(
        request(Prompt(model="m", prompt="{text} | {}", score=Score.NONE), Text(ASKED))
    )

    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": f"{ASKED} | {{}}"}],
        "max_tokens": 256,
        "temperature": 0,
        "stream": False,
    }


def test_a_schema_is_sent_as_response_format() -> None:
    body = json.loads(request(Prompt(model="m", schema=SCHEMA), Text("on")))

    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }


SCORES = {
    Score.NONE: 0.0,
    Score.FIRST: 0.5,
    Score.LOWEST: 0.25,
    Score.MEAN: 0.5,
    Score.PRODUCT: 0.125,
}


@pytest.mark.parametrize(("how", "score"), SCORES.items())
def test_a_score_is_made_of_the_tokens_probabilities(how: Score, score: float) -> None:
    tokens = logprobs(math.log(0.5), math.log(0.25), 1e-9)
    body = json.dumps(said(logprobs=tokens)).encode()

    found = completion(body, Prompt(model="m", score=how))

    assert found.score == pytest.approx(score)


ODD = {
    "rounded up": ((1e-7,), 1.0),
    "absurdly high": ((1e308, 1e308), 1.0),
    "absurdly low": ((-1e308, -1e308), 0.0),
}


@pytest.mark.parametrize("how", [Score.FIRST, Score.LOWEST, Score.MEAN, Score.PRODUCT])
@pytest.mark.parametrize(("tokens", "score"), ODD.values(), ids=ODD)
def test_a_score_is_a_share_whatever_a_server_says(
    how: Score, tokens: tuple[float, ...], score: float
) -> None:
    body = json.dumps(said(logprobs=logprobs(*tokens))).encode()

    assert completion(body, Prompt(model="m", score=how)).score == score


@pytest.mark.parametrize(
    "tokens", [None, {}, {"content": None}, {"content": []}, {"tokens": ["a"]}]
)
def test_a_server_that_gives_no_probabilities_is_never_sure(tokens: object) -> None:
    assert completion(json.dumps(said(logprobs=tokens)).encode(), Prompt(model="m")).score == 0.0


def test_an_answer_that_should_be_json_is_json() -> None:
    prompt = Prompt(model="m", schema=SCHEMA, max_tokens=3)

    assert completion(json.dumps(said(' {"a": 1} ')).encode(), prompt).text == '{"a": 1}'
    with pytest.raises(UnusableReplyError, match=r"is no JSON$"):
        completion(json.dumps(said('{"a": 1} well')).encode(), prompt)
    with pytest.raises(UnusableReplyError, match="is no JSON: it was cut at 3 tokens"):
        completion(json.dumps(said('{"a":', finish="length")).encode(), prompt)


def error(message: str, **more: object) -> bytes:
    return json.dumps({"error": {"code": 400, "message": message, **more}}).encode()


NUMBERS = "the question is too long for the model: 5000 tokens, and it takes 4096"
TOO_LONG = {
    "llama-server": error(
        "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
        type="exceed_context_size_error",
        n_prompt_tokens=5000,
        n_ctx=4096,
    ),
    "OpenAI, llama-cpp-python, older vLLM": error(
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
        "(4900 in the messages, 100 in the completion). Please reduce the length of the messages."
    ),
    "vLLM": error(
        "This model's maximum context length is 4096 tokens. However, your request has 5000 input "
        "tokens. Please reduce the length of the input messages."
    ),
    "SGLang": error(
        "The input (5000 tokens) is longer than the model's context length (4096 tokens)."
    ),
}


@pytest.mark.parametrize("body", TOO_LONG.values(), ids=TOO_LONG)
def test_a_prompt_longer_than_the_context_is_told_with_the_numbers(body: bytes) -> None:
    assert str(refusal(400, body)) == NUMBERS


def test_a_context_without_the_prompts_length_is_told_too() -> None:
    body = error("prompt too long: the context length is only 4096 tokens")

    assert (
        str(refusal(400, body)) == "the question is too long for the model, which takes 4096 tokens"
    )


def test_numbers_of_another_status_are_not_believed() -> None:
    assert str(refusal(401, TOO_LONG["vLLM"])) == "the model server refuses: HTTP 401"


def test_models_are_listed() -> None:
    assert models(b'{"object": "list", "data": [{"id": "a", "n": 1}, {"id": "b"}]}') == ("a", "b")


@given(
    st.binary()
    | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(json.dumps).map(str.encode)
)
def test_noise_is_no_answer(noise: bytes) -> None:
    with pytest.raises(UnusableReplyError):
        completion(noise, Prompt(model="m"))
    with pytest.raises(UnusableReplyError):
        models(noise)
    assert refusal(400, noise).args


USAGES: dict[str, tuple[object, tuple[int, int] | None]] = {
    "told": ({"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}, (12, 3)),
    "none": (None, None),
    "half": ({"prompt_tokens": 12}, None),
    "no numbers": ({"prompt_tokens": "12", "completion_tokens": True}, None),
    "below zero": ({"prompt_tokens": -1, "completion_tokens": 3}, None),
    "beyond belief": ({"prompt_tokens": 1, "completion_tokens": 2**40}, None),
    "no table": (["a"], None),
}


@pytest.mark.parametrize(("usage", "tokens"), USAGES.values(), ids=USAGES)
def test_tokens_are_taken_if_told_and_cost_no_answer_if_not(
    usage: object, tokens: tuple[int, int] | None
) -> None:
    body = json.dumps(said() | {"usage": usage}).encode()

    found = completion(body, Prompt(model="m"))

    assert (found.text, found.tokens) == ("lamp_on", tokens)
