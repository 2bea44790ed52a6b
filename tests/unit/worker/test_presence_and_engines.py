import json
import logging
import math
from collections import Counter
from queue import SimpleQueue
from uuid import UUID

import pytest

from broker.wire.envelope import ReplyKey
from broker.wire.messages import Answer, Question, Refused, Reply, load_reply
from broker.wire.payload import Record, Text, Window
from broker.wire.topics import DeviceId
from cloud_worker.drops import DropLog
from cloud_worker.engines import Engines, Finished, Written, answer
from cloud_worker.errors import UnfitQuestionError
from cloud_worker.letters import Envelope, Job, Reason
from cloud_worker.models import Complete, Engine, echo
from cloud_worker.presence import Presence
from cloud_worker.store import Request

ENVELOPE = Envelope("topic", Request(DeviceId("a"), UUID(int=1), b"", 0.0), ReplyKey(b"", b""))


def job(complete: Complete, text: str = "secret words") -> Job:
    return Job(ENVELOPE, Question("home", Text(text)), Engine("model 1", complete))


def read(written: Written) -> Reply:
    return load_reply(written.body)


def unfit(_question: Question) -> Answer:
    raise UnfitQuestionError("this model takes windows")


def broken(question: Question) -> Answer:
    raise ZeroDivisionError(question.payload)


def presence() -> Presence:
    completers = {"b": echo(), "a": echo()}
    return Presence(topic="here", session=7, capacity=65, completers=completers)


def test_a_model_that_does_not_fit_is_a_refusal() -> None:
    written = answer(job(unfit))

    assert read(written) == Refused("this model takes windows")
    assert written.reason is Reason.REFUSED


def test_a_refusal_longer_than_a_reply_takes_is_cut() -> None:
    def wordy(_question: Question) -> Answer:
        raise UnfitQuestionError("no " * 200)

    assert read(answer(job(wordy))) == Refused(("no " * 200)[:256])


BAD_ANSWERS = {
    "confidence": Answer("on", "model 1", math.nan),
    "text": Answer("\ud800", "model 1", 0.5),
    "model": Answer("on", "m" * 129, 0.5),
}


@pytest.mark.parametrize("bad", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_an_answer_that_no_reply_may_hold_is_a_refusal(bad: Answer) -> None:
    assert read(answer(job(lambda _: bad))) == Refused("the model failed")


def test_a_model_that_fails_is_a_refusal_and_logs_no_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    written = answer(job(broken))

    assert read(written) == Refused("the model failed")
    assert caplog.messages == ["model 1 failed: ZeroDivisionError"]
    assert "secret" not in caplog.text


def test_an_engine_thread_outlives_a_model_that_fails() -> None:
    finished: SimpleQueue[Finished] = SimpleQueue()
    engines = Engines(concurrency=1, sink=finished.put)

    engines.put(job(broken))
    engines.put(job(lambda _: Answer("on", "model 1", 0.5)))

    replies = [read(finished.get(timeout=5).written) for _ in range(2)]
    assert replies == [Refused("the model failed"), Answer("on", "model 1", 0.5)]


ECHOES = {
    "text": (Text("hello"), "hello"),
    "record": (Record({"a": 1.0}), '{"a":1.0}'),
    "window": (Window(b"\xff\xff\xff\xff", ("x",), 1.0), "\ufffd" * 4),
}


@pytest.mark.parametrize(("payload", "text"), ECHOES.values(), ids=ECHOES)
def test_echo_says_what_was_asked(payload: Text | Record | Window, text: str) -> None:
    assert echo().complete(Question("echo", payload)) == Answer(text, "echo 1", 1.0)


def test_the_birth_says_what_the_worker_can_do_and_nothing_of_what_it_was_asked() -> None:
    message = presence().birth(3, Counter({Reason.ANSWERED: 2, Reason.BUSY: 0}), now_s=0.0)

    assert (message.topic, message.retain) == ("here", True)
    assert json.loads(message.payload) == {
        "session": 7,
        "online": True,
        "capacity": 65,
        "load": 3,
        "domains": ["a", "b"],
        "models": ["echo 1"],
        "counters": {"answered": 2},
    }


def test_a_worker_that_has_gone_leaves_nothing_at_the_broker() -> None:
    message = presence().gone()

    assert (message.topic, message.payload, message.retain) == ("here", b"", True)


def test_presence_is_told_again_when_it_changed_but_not_at_once() -> None:
    told = presence()
    told.birth(0, Counter(), now_s=100.0)

    news = [
        told.refresh(1, Counter(), now_s=101.0),
        told.refresh(1, Counter(), now_s=103.0),
        told.refresh(1, Counter(), now_s=200.0),
    ]

    assert [message is not None for message in news] == [False, True, False]


def test_presence_is_told_again_before_the_broker_forgets_it() -> None:
    told = presence()
    first = told.birth(0, Counter(), now_s=0.0)
    assert first.expiry_s is not None

    message = told.refresh(0, Counter(), now_s=first.expiry_s / 2 + 1)

    assert message == first


def test_drops_are_logged_as_counts_and_only_when_they_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    drops = DropLog()
    counters = Counter[str]({Reason.SIGNATURE: 2, Reason.REPEATED: 5})

    with caplog.at_level(logging.WARNING):
        drops.tell(Counter())
        drops.tell(counters)
        drops.tell(counters)

    assert caplog.messages == ["questions dropped since the start: {'signature': 2}"]
