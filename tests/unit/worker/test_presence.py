import json
import logging
from collections import Counter

import pytest

from broker.wire.messages import Answer
from cloud_worker.drops import DropLog
from cloud_worker.letters import Reason
from cloud_worker.limits import Limits
from cloud_worker.models import Completer, Engine, echo
from cloud_worker.presence import Presence


def presence() -> Presence:
    completers = {"b": echo(), "a": echo()}
    return Presence(topic="here", session=7, completers=completers, accepted=Limits().accepted)


def test_the_birth_says_what_the_worker_can_do_and_nothing_of_what_it_was_asked() -> None:
    message = presence().birth(3, Counter({Reason.ANSWERED: 2, Reason.BUSY: 0}), now_s=0.0)

    assert (message.topic, message.retain) == ("here", True)
    assert json.loads(message.payload) == {
        "session": 7,
        "online": True,
        "capacity": 64,
        "load": 3,
        "domains": ["a", "b"],
        "models": ["echo 1"],
        "away": [],
        "counters": {"answered": 2},
    }


def test_a_model_that_is_away_is_told_and_does_not_count() -> None:
    there = [False]
    engine = Engine("m", lambda *_: Answer("on", "m", 0.5), concurrency=4, ready=lambda: there[0])
    completers: dict[str, Completer] = {"a": engine, "b": engine, "c": echo()}
    accepted = Limits(queue=8).accepted
    told = Presence(topic="here", session=7, completers=completers, accepted=accepted)

    away = json.loads(told.birth(0, Counter(), now_s=0.0).payload)
    there[0] = True
    back = told.refresh(0, Counter(), now_s=4.0)

    assert (away["capacity"], away["away"]) == (8, ["m"])
    assert back is not None
    back_again = json.loads(back.payload)
    assert (back_again["capacity"], back_again["away"]) == (20, [])


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
