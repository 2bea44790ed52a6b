"""A completer on a real HTTP server that behaves well."""

import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from broker.wire.messages import Answer, Question
from broker.wire.payload import Record, Window
from cloud_worker.completions import Prompt
from cloud_worker.errors import UnfitQuestionError, UnusableReplyError
from tests.model_server import MODEL, Handler, Scripted, logprobs, said, send

pytest.importorskip("httpx")

from tests.unit.worker.asking_server import WORDS, asked, completer  # needs httpx


def test_a_question_is_put_with_its_prompt_and_answered(server: Scripted) -> None:
    server.answer = send(said(" lamp_on \n", logprobs=logprobs(-0.5, -1.5)))

    with completer(server, api_key="k-1") as made:
        answer = asked(made)

    assert answer == Answer("lamp_on", MODEL, math.exp(-1.0))
    assert server.asked == [
        {
            "model": MODEL,
            "messages": [
                {"role": "system", "content": "Be short."},
                {"role": "user", "content": f"Q: {WORDS} {{x}}\nA:"},
            ],
            "max_tokens": 7,
            "temperature": 0,
            "stream": False,
            "logprobs": True,
            "top_logprobs": 1,
        }
    ]
    assert server.headers[0]["Authorization"] == "Bearer k-1"
    assert server.headers[0]["Accept-Encoding"] == "identity"


def test_a_record_is_put_as_json_and_a_window_is_unfit(server: Scripted) -> None:
    with completer(server, Prompt(model=MODEL)) as made:
        asked(made, Question("home", Record({"speed": 1.5})))
        with pytest.raises(UnfitQuestionError, match="not a window"):
            asked(made, Question("home", Window(b"\0" * 4, ("x",), 1.0)))

    (body,) = server.asked
    assert body["messages"] == [{"role": "user", "content": '{"speed":1.5}'}]


def test_every_domain_shares_the_servers_threads(server: Scripted) -> None:
    with completer(server) as made:
        engines = made.completers()

    assert list(engines) == ["home", "away"]
    assert engines["home"] is engines["away"]
    assert (engines["home"].model, engines["home"].concurrency) == (MODEL, 4)


def test_a_label_is_followed_by_the_questions_placeholders(server: Scripted) -> None:
    with completer(server, labels=("lamp_on", "lamp_off")) as made:
        assert asked(made).text == "lamp_on <NAME_1>"
        server.answer = send(said("lamp_on."))
        with pytest.raises(UnusableReplyError, match="none of the labels"):
            asked(made)


def test_free_text_keeps_the_placeholders_that_the_model_copied(server: Scripted) -> None:
    server.answer = send(said("Done, <NAME_1>."))

    with completer(server) as made:
        assert asked(made).text == "Done, <NAME_1>."


def test_an_answer_cut_at_max_tokens_says_so(server: Scripted) -> None:
    server.answer = send(said("lamp_on and", finish="length"))

    with completer(server) as made:
        answer = asked(made)

    assert answer == Answer("lamp_on and", MODEL, 0.0, truncated=True)


def test_as_many_questions_as_there_are_threads_are_put_at_once(server: Scripted) -> None:
    together = Barrier(4)

    def meet(handler: Handler) -> None:
        together.wait(10)
        send(said())(handler)

    server.answer = meet
    with completer(server) as made, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: asked(made), range(8)))

    assert {answer.text for answer in answers} == {"lamp_on"}
    assert server.at_once == 4
