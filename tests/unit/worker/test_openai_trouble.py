"""A completer on a real HTTP server that behaves badly."""

import gzip
import json
import logging
import math
import time

import pytest

from cloud_worker.errors import SaturatedError, UnusableReplyError
from tests.model_server import MODEL, Act, Handler, Scripted, logprobs, raw, said, send

pytest.importorskip("httpx")

from cloud_worker.server import MAX_REPLY_BYTES, ServerAddress
from tests.unit.worker.asking_server import WORDS, asked, completer  # needs httpx

BUSY = {
    "too many requests": send(b"", 429),
    "service unavailable": send(b"", 503),
    "bad gateway": send(b"", 502),
    "gateway timeout": send(b"", 504),
    "hangs up": raw(b""),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "hangs up in the middle": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"),
}


@pytest.mark.parametrize("act", BUSY.values(), ids=BUSY)
def test_what_passes_is_waited_for(server: Scripted, act: Act) -> None:
    server.first = [act, act]

    with completer(server) as made:
        answer = asked(made)

    assert answer.text == "lamp_on"
    assert len(server.asked) == 3


@pytest.mark.parametrize("act", BUSY.values(), ids=BUSY)
def test_what_does_not_pass_in_time_is_busy(server: Scripted, act: Act) -> None:
    server.answer = act

    with completer(server) as made, pytest.raises(SaturatedError):
        asked(made, within_s=1.5)

    assert len(server.asked) >= 2


def test_the_engines_own_time_holds_where_the_device_would_wait_longer(server: Scripted) -> None:
    server.answer = send(b"", 429)

    with completer(server, timeout_s=1.0) as made, pytest.raises(SaturatedError, match="HTTP 429"):
        asked(made, within_s=1e6)


def test_the_pause_that_a_server_wishes_is_kept(server: Scripted) -> None:
    server.first = [send(b"", 429, {"Retry-After": "1"})]

    with completer(server) as made:
        started_s = time.monotonic()
        asked(made)

    assert time.monotonic() - started_s >= 1.0


def test_a_pause_longer_than_the_deadline_is_passed_on_at_once(server: Scripted) -> None:
    server.answer = send(b"", 503, {"Retry-After": "50"})

    with completer(server) as made, pytest.raises(SaturatedError) as busy:
        asked(made)

    assert busy.value.retry_after_s == 50.0
    assert len(server.asked) == 1


def test_a_server_that_is_too_slow_is_busy(server: Scripted) -> None:
    ended: list[bool] = []

    def hang(handler: Handler) -> None:
        time.sleep(30.0)
        ended.append(True)
        send(said())(handler)

    server.answer = hang

    with completer(server) as made, pytest.raises(SaturatedError, match="no answer in time"):
        asked(made, within_s=1.5)

    assert len(server.asked) == 1
    assert ended == []


def test_a_reply_that_trickles_is_not_waited_for(server: Scripted) -> None:
    ended: list[bool] = []

    def trickle(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b" ")
            time.sleep(0.03)
        ended.append(True)

    server.answer = trickle

    with completer(server) as made, pytest.raises(SaturatedError, match="no answer in time"):
        asked(made, within_s=1.5)

    assert ended == []


REDIRECT = {"Location": "http://127.0.0.1:1/v1/chat/completions"}
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (MAX_REPLY_BYTES + 1)
BETWEEN = json.dumps(said(logprobs=logprobs(-1.5))).encode()
TOO_LONG = "exceeds the available context size"
UNUSABLE = {
    "no JSON": (send(b"<html>"), "no chat completion"),
    "not UTF-8": (send(b'{"choices": "\xff"}'), "no chat completion"),
    "half a pair": (send(b'{"choices":[{"message":{"content":"\\ud800"}}]}'), ""),
    "deep": (send(b"[" * 100_000), "no chat completion"),
    "an array": (send([]), "no chat completion"),
    "no choices": (send({}), "no chat completion"),
    "null choices": (send({"choices": None}), "no chat completion"),
    "zero choices": (send({"choices": []}), "no choice"),
    "no message": (send({"choices": [{}]}), "no chat completion"),
    "a number for a text": (send({"choices": [{"message": {"content": 1}}]}), "no chat completion"),
    "no text": (send({"choices": [{"message": {}}]}), "answer is empty"),
    "white text": (send(said(" \n")), "answer is empty"),
    "nothing but thoughts": (send(said("", finish="length")), "empty: 7 tokens were not enough"),
    "withheld": (send(said("x", finish="content_filter")), "a reason of its own"),
    "a call": (send(said("x", finish="tool_calls")), "a reason of its own"),
    "NaN": (send(said(logprobs=logprobs(math.nan))), "no chat completion"),
    "infinite": (send(said(logprobs=logprobs(-math.inf))), "no chat completion"),
    "overflow": (send(BETWEEN.replace(b"-1.5", b"-1e999")), ""),
    "null": (send(BETWEEN.replace(b"-1.5", b"null")), "no chat completion"),
    "oversized": (raw(ENDLESS), "over 8388608 bytes"),
    "oversized refusal": (send(b" " * 65_537, 400), "over 65536 bytes"),
    "packed": (send(gzip.compress(b"{}"), 200, {"Content-Encoding": "gzip"}), "packs"),
    "moved": (send(b"", 307, REDIRECT), "elsewhere: HTTP 307"),
    "gone": (send(b"", 301, REDIRECT), "elsewhere: HTTP 301"),
    "no content": (send(b"", 204), "HTTP 204"),
    "not authorized": (send({"error": WORDS}, 401), "HTTP 401"),
    "forbidden": (send({"error": WORDS}, 403), "HTTP 403"),
    "no such path": (send({"error": WORDS}, 404), "HTTP 404"),
    "unprocessable": (send({"error": WORDS}, 422), "HTTP 422"),
    "failed": (send({"error": WORDS}, 500), "HTTP 500"),
    "too long": (send({"error": {"message": TOO_LONG}}, 400), "HTTP 400"),
}  # fmt: skip


@pytest.mark.parametrize(("act", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_answer_is_refused_once_and_never_repeated(
    server: Scripted, caplog: pytest.LogCaptureFixture, act: Act, why: str
) -> None:
    server.answer = act

    with completer(server) as made:
        with pytest.raises(UnusableReplyError) as refused:
            asked(made)
        with pytest.raises(UnusableReplyError):
            asked(made)

    assert why in str(refused.value)
    assert len(server.asked) == 2
    assert caplog.messages == [f"{MODEL}: {refused.value}"]  # told once; the rest is counted
    assert "lamp" not in str(refused.value)


def test_nothing_of_a_question_or_a_key_is_logged(
    server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "cloud_worker")
    caplog.set_level(logging.INFO, "httpx")
    server.first = [send(WORDS, 503), raw(WORDS.encode()), send({"error": WORDS}, 400)]

    with completer(server, api_key="k-123") as made:
        with pytest.raises(UnusableReplyError):
            asked(made)
        asked(made)

    assert "lamp" not in caplog.text
    assert "k-123" not in caplog.text
    assert "k-123" not in repr(ServerAddress(base_url="http://a", api_key="k-123"))
