import math
import time
from queue import SimpleQueue
from threading import Event as Flag
from uuid import UUID

import pytest

from broker.wire.envelope import MAX_REPLY_BYTES, MAX_WIRE_BYTES, ReplyKey
from broker.wire.messages import Answer, Question, Refused, Reply, dump_reply, load_reply
from broker.wire.payload import Record, Text, Window
from broker.wire.topics import DeviceId
from cloud_worker.engines import Engines, Finished, Postponed, Said, Written, answer
from cloud_worker.errors import SaturatedError, UnfitQuestionError, UnusableReplyError
from cloud_worker.letters import Envelope, Job, Reason
from cloud_worker.models import Complete, Engine, echo
from cloud_worker.store import Request
from cloud_worker.worker import seal

LONG_S = math.inf
ENVELOPE = Envelope("topic", Request(DeviceId("a"), UUID(int=1), b"", 0.0), ReplyKey(b"", b""))


def job(complete: Complete, text: str = "secret words") -> Job:
    return Job(ENVELOPE, Question("home", Text(text)), Engine("model 1", complete), 0.0)


def read(said: Said) -> Reply:
    assert isinstance(said, Written)
    return load_reply(said.body)


def unfit(_question: Question, _deadline_s: float) -> Answer:
    raise UnfitQuestionError("this model takes windows")


def broken(question: Question, _deadline_s: float) -> Answer:
    raise ZeroDivisionError(question.payload)


def test_a_model_that_does_not_fit_is_a_refusal() -> None:
    written = answer(job(unfit), LONG_S)

    assert read(written) == Refused("this model takes windows")
    assert written.reason is Reason.REFUSED


def test_a_refusal_longer_than_a_reply_takes_is_cut() -> None:
    def wordy(_question: Question, _deadline_s: float) -> Answer:
        raise UnfitQuestionError("no " * 200)

    assert read(answer(job(wordy), LONG_S)) == Refused(("no " * 200)[:256])


BAD_ANSWERS = {
    "confidence": Answer("on", "model 1", math.nan),
    "text": Answer("\ud800", "model 1", 0.5),
    "model": Answer("on", "m" * 129, 0.5),
}


@pytest.mark.parametrize("bad", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_an_answer_that_no_reply_may_hold_is_a_refusal(bad: Answer) -> None:
    assert read(answer(job(lambda *_: bad), LONG_S)) == Refused("the model failed")


def test_a_model_that_fails_is_a_refusal_and_logs_no_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    written = answer(job(broken), LONG_S)

    assert read(written) == Refused("the model failed")
    assert caplog.messages == ["model 1 failed: ZeroDivisionError"]
    assert "secret" not in caplog.text


def test_an_engine_thread_outlives_a_model_that_fails() -> None:
    finished: SimpleQueue[Finished] = SimpleQueue()
    engine = Engine("model 1", lambda *_: Answer("on", "model 1", 0.5))
    engines = Engines([engine], sink=finished.put)

    engines.put(job(broken), engine, LONG_S)
    engines.put(job(engine.complete), engine, LONG_S)

    replies = [read(finished.get(timeout=60).said) for _ in range(2)]
    assert replies == [Refused("the model failed"), Answer("on", "model 1", 0.5)]


def test_an_engine_that_is_slow_keeps_no_question_of_another_waiting() -> None:
    finished: SimpleQueue[Finished] = SimpleQueue()
    gate = Flag()

    def slowly(_question: Question, _deadline_s: float) -> Answer:
        gate.wait(60)
        return Answer("slow", "model 1", 0.5)

    slow, quick = Engine("slow", slowly), Engine("quick", lambda *_: Answer("on", "quick", 0.5))
    engines = Engines([slow, quick], sink=finished.put)

    engines.put(job(slow.complete), slow, LONG_S)
    engines.put(job(quick.complete), quick, LONG_S)
    first = read(finished.get(timeout=60).said)
    gate.set()

    assert first == Answer("on", "quick", 0.5)
    assert read(finished.get(timeout=60).said) == Answer("slow", "model 1", 0.5)


def test_a_question_whose_time_is_over_costs_no_model_time() -> None:
    finished: SimpleQueue[Finished] = SimpleQueue()
    asked: list[Question] = []

    def note(question: Question, _deadline_s: float) -> Answer:
        asked.append(question)
        return echoed()

    engine = Engine("model 1", note)
    engines = Engines([engine], sink=finished.put)

    engines.put(job(note), engine, time.monotonic())

    assert finished.get(timeout=60).said == Postponed(Reason.LATE, 0.0)
    assert asked == []


def echoed() -> Answer:
    return Answer("on", "model 1", 0.5)


def test_a_model_that_takes_no_more_postpones_its_question() -> None:
    def full(_question: Question, _deadline_s: float) -> Answer:
        raise SaturatedError("HTTP 429", retry_after_s=7.0)

    assert answer(job(full), LONG_S) == Postponed(Reason.SATURATED, 7.0)


def test_a_reply_that_is_no_answer_is_a_refusal_of_its_own_kind() -> None:
    def nonsense(_question: Question, _deadline_s: float) -> Answer:
        raise UnusableReplyError("the model's answer is empty")

    said = answer(job(nonsense), LONG_S)

    assert read(said) == Refused("the model's answer is empty")
    assert said.reason is Reason.UNUSABLE


@pytest.mark.parametrize(("more", "reason"), [(0, Reason.ANSWERED), (1, Reason.REFUSED)])
def test_an_answer_that_no_device_would_open_is_refused(more: int, reason: Reason) -> None:
    header = len(dump_reply(Answer("", "model 1", 0.5)))
    long = Answer("a" * (MAX_REPLY_BYTES - header + more), "model 1", 0.5)

    said = answer(job(lambda *_: long), LONG_S)

    assert said.reason is reason
    assert len(seal(ENVELOPE, bytes(MAX_REPLY_BYTES)).sealed) <= MAX_WIRE_BYTES


ECHOES = {
    "text": (Text("hello"), "hello"),
    "record": (Record({"a": 1.0}), '{"a":1.0}'),
    "window": (Window(b"\xff\xff\xff\xff", ("x",), 1.0), "\ufffd" * 4),
}


@pytest.mark.parametrize(("payload", "text"), ECHOES.values(), ids=ECHOES)
def test_echo_says_what_was_asked(payload: Text | Record | Window, text: str) -> None:
    assert echo().complete(Question("echo", payload), LONG_S) == Answer(text, "echo 1", 1.0)
