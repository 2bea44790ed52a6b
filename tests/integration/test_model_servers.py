"""Questions to real model servers: llama.cpp's own, and the one of llama-cpp-python."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from broker.wire.messages import Answer, Question
from broker.wire.payload import Text
from cloud_worker.completions import Prompt, Score
from cloud_worker.errors import SaturatedError, UnusableReplyError
from tests.asker import DOMAIN
from tests.unit.package.gguf_files import CHAT, write_model

pytest.importorskip("httpx")

from tests.integration.model_servers import (  # needs httpx
    CONTEXT_TOKENS,
    MODEL,
    Command,
    asking,
    llama_server,
    python_server,
    serving,
)

SERVERS = {"llama-server": llama_server, "llama_cpp.server": python_server}
LEVEL = {
    "type": "object",
    "properties": {"level": {"enum": [1, 2]}},
    "required": ["level"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.gguf"
    write_model(path, chat=CHAT)
    return path


@pytest.fixture(scope="module", params=list(SERVERS.values()), ids=list(SERVERS))
def server(
    request: pytest.FixtureRequest, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    command: Command = request.param
    with serving(command, weights, tmp_path_factory.mktemp("server") / "log") as base_url:
        yield base_url


def asked(server: str, text: str = "lights on", prompt: Prompt | None = None) -> Answer:
    with asking(server, prompt=prompt) as made:
        return made.complete(Question(DOMAIN, Text(text)), time.monotonic() + 30.0)


def test_a_question_is_answered_cut_and_scored(
    server: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = asked(server)

    assert answer.text
    assert answer.model == MODEL
    assert 0.0 < answer.confidence < 1.0
    assert answer.truncated  # weights by lot do not come to an end in eight tokens
    assert [each for each in caplog.messages if "has no model" in each] == []


def test_the_same_question_gets_the_same_answer(server: str) -> None:
    assert asked(server).text == asked(server).text


def test_a_score_that_is_not_wanted_is_not_asked_for(server: str) -> None:
    prompt = Prompt(model=MODEL, max_tokens=8, score=Score.NONE)

    assert asked(server, prompt=prompt).confidence == 0.0


def test_a_prompt_longer_than_the_context_is_refused_with_the_numbers(server: str) -> None:
    with pytest.raises(UnusableReplyError) as refused:
        asked(server, "on " * CONTEXT_TOKENS)

    said = str(refused.value)
    assert said.startswith("the question is too long for the model: ")
    assert f"it takes {CONTEXT_TOKENS}" in said


def test_more_questions_than_the_server_answers_at_once_are_all_answered(server: str) -> None:
    with asking(server, concurrency=6) as made, ThreadPoolExecutor(6) as pool:
        question = Question(DOMAIN, Text("lights on"))
        until_s = time.monotonic() + 60.0
        answers = list(pool.map(lambda _: made.complete(question, until_s), range(12)))

    assert len(answers) == 12
    assert {answer.model for answer in answers} == {MODEL}


def test_a_schema_makes_the_answer_json(weights: Path, tmp_path: Path) -> None:
    prompt = Prompt(model=MODEL, max_tokens=64, schema=LEVEL)

    with serving(llama_server, weights, tmp_path / "log") as server:
        answer = asked(server, prompt=prompt)

    assert json.loads(answer.text)["level"] in (1, 2)
    assert not answer.truncated


def test_a_server_that_is_killed_makes_its_worker_busy(weights: Path, tmp_path: Path) -> None:
    question = Question(DOMAIN, Text("lights on"))
    with ExitStack() as alive:
        server = alive.enter_context(serving(llama_server, weights, tmp_path / "log"))
        with asking(server) as made:
            (engine,) = made.completers().values()
            assert made.complete(question, time.monotonic() + 30.0).text

            alive.close()
            with pytest.raises(SaturatedError):
                made.complete(question, time.monotonic() + 30.0)

            assert not engine.ready()
