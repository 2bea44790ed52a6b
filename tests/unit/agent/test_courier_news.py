"""What the courier hears of the broker and its workers, and what it gives as the reason."""

from collections import Counter
from uuid import UUID

import pytest

from broker.wire.link import refusal
from broker.wire.session import Acknowledged, Breached, SubscriptionRefused
from tests.unit.agent.post_office import (
    HERE,
    LISTENS,
    NOBODY,
    NOT_AUTHORIZED,
    OTHER_WORKER,
    QUOTA,
    SUCCESS,
    WORKER,
    Post,
)


@pytest.mark.parametrize("code", [NOT_AUTHORIZED, QUOTA])
def test_a_refused_publish_is_counted_told_and_sent_again(post: Post, code: int) -> None:
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)
    post.courier.send(post.put(1))

    post.courier.acknowledged(Acknowledged(1, code))

    assert post.counters["refused_by_broker"] == 1
    assert post.courier.reason == f"the broker refused the question: {refusal(code)}"
    post.clock.now_s += 60.0
    post.courier.send_due()
    assert post.broker.tickets == [1, 1]
    assert post.counters["resends"] == 1


def test_a_publish_that_is_taken_again_ends_the_trouble(post: Post) -> None:
    post.put(1)
    post.put(2)
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)
    post.courier.send_due()
    post.courier.acknowledged(Acknowledged(1, NOT_AUTHORIZED))

    post.courier.acknowledged(Acknowledged(2, SUCCESS))

    assert post.courier.reason == "no answer in time"


def test_a_publish_that_nobody_heard_is_counted_and_sent_again(post: Post) -> None:
    post.put(1)
    post.courier.online(100)
    post.courier.send_due()

    post.courier.acknowledged(Acknowledged(1, NOBODY))

    assert post.counters["nobody_listened"] == 1
    assert len(post.outbox) == 1


def test_the_first_worker_that_comes_makes_all_that_waits_due(post: Post) -> None:
    post.put(1, due_s=1030.0)
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)

    post.courier.send_due()

    assert post.broker.tickets == [1]


def test_one_more_worker_makes_no_haste(post: Post) -> None:
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)
    post.put(1, due_s=1030.0)

    post.courier.heard_worker(OTHER_WORKER, LISTENS)
    post.courier.send_due()

    assert post.broker.tickets == []


PRESENCES = {
    "gone, as its will says": b"",
    "offline": b'{"online": false}',
    "no JSON": b"online",
    "no object": b"[true]",
    "a number": b"1",
    "without the key": b"{}",
    "another type": b'{"online": "true"}',
    "not UTF-8": b"\xff\xfe",
    "nested without end": b"[" * 100_000,
}


@pytest.mark.parametrize("presence", PRESENCES.values(), ids=PRESENCES)
def test_a_presence_that_does_not_say_online_is_nobody(post: Post, presence: bytes) -> None:
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)

    post.courier.heard_worker(WORKER, presence)

    assert post.courier.reason == "no worker is listening"


def test_the_reason_follows_what_is_wrong(post: Post) -> None:
    reasons = [post.courier.reason]
    post.courier.offline("the broker refused us: Bad user name or password")
    reasons.append(post.courier.reason)
    post.courier.online(100)
    reasons.append(post.courier.reason)
    post.courier.heard_worker(WORKER, LISTENS)
    reasons.append(post.courier.reason)
    post.courier.offline("the connection ended")
    reasons.append(post.courier.reason)
    post.courier.online(100)  # the retained presences come again
    reasons.append(post.courier.reason)

    assert reasons == [
        "the broker cannot be reached",
        "the broker refused us: Bad user name or password",
        "no worker is listening",
        "no answer in time",
        "the connection ended",
        "no worker is listening",
    ]
    assert post.counters == Counter(broker_failures=1, broker_losses=1, workers_came=1)


def test_a_worker_that_comes_and_goes_all_the_time_makes_haste_once(post: Post) -> None:
    post.put(1, due_s=1030.0)
    post.courier.online(100)

    for _ in range(100):
        post.courier.heard_worker(WORKER, LISTENS)
        post.courier.send_due()
        post.courier.acknowledged(Acknowledged(len(post.broker.tickets), SUCCESS))
        post.outbox.postpone(UUID(int=1), 1030.0)
        post.courier.heard_worker(WORKER, b"")

    assert post.broker.tickets == [1]
    assert post.counters["workers_came"] == 100


def test_workers_without_number_are_not_all_kept_in_mind(post: Post) -> None:
    post.courier.online(100)

    for number in range(2_000):
        post.courier.heard_worker(f"{WORKER}{number}", LISTENS)

    assert len(post.courier._workers) == 1_000


STRANGE = (HERE.ask, "fl/v1/home/pool/other/worker/w-1", "fl/v1/away/pool/main/worker/w-1", "")


@pytest.mark.parametrize("topic", STRANGE)
def test_a_message_that_nobody_asked_for_is_counted_and_no_worker(post: Post, topic: str) -> None:
    post.courier.online(100)

    post.courier.heard_worker(topic, LISTENS)

    assert post.counters == Counter(messages_strange=1)
    assert post.courier.reason == "no worker is listening"


def test_a_device_that_may_not_hear_its_answers_says_so_until_it_may(post: Post) -> None:
    post.courier.online(100)
    post.courier.hear(SubscriptionRefused(HERE.answer, NOT_AUTHORIZED))
    reason = post.courier.reason

    post.courier.online(100)

    assert reason == f"the broker brings no answers: {refusal(NOT_AUTHORIZED)}"
    assert post.courier.reason == "no worker is listening"
    assert post.counters == Counter(subscriptions_refused=1)


def test_another_subscription_that_is_refused_is_only_counted(post: Post) -> None:
    post.courier.online(100)

    post.courier.hear(SubscriptionRefused("fl/v1/home/pool/main/worker/+", NOT_AUTHORIZED))
    post.courier.hear(Breached("packets_malformed"))

    assert post.courier.reason == "no worker is listening"
    assert post.counters == Counter(subscriptions_refused=1, packets_malformed=1)
