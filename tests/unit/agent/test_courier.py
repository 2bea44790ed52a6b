"""What carries parcels to the broker: when, how many at once, and how often."""

import math
from collections import Counter
from uuid import UUID

from broker.wire.session import IN_FLIGHT, Acknowledged, Message
from tests.unit.agent.post_office import HERE, RESEND_S, SUCCESS, Post


def test_a_parcel_goes_out_with_its_ticket_its_way_back_and_its_end(post: Post) -> None:
    post.courier.online(100)

    post.courier.send(post.put(7, due_s=1002.0, deadline_s=1060.0))

    expected = Message(
        HERE.ask,
        b"sealed",
        correlation=UUID(int=7).bytes,
        answer_topic=HERE.answer,
        expiry_s=60,
    )
    assert post.broker.taken == [expected]
    assert post.pause_s(7) == RESEND_S


def test_a_parcel_about_to_expire_still_lives_for_a_second(post: Post) -> None:
    post.courier.online(100)

    post.courier.send(post.put(7, deadline_s=1000.2))

    assert [message.expiry_s for message in post.broker.taken] == [1]


def test_the_bytes_that_went_out_are_counted_each_time(post: Post) -> None:
    post.courier.send(post.put(7, due_s=1000.0))
    assert post.counters["bytes_out"] == 0  # offline

    post.courier.online(100)
    post.courier.send_due()
    post.clock.now_s += 100.0
    post.courier.send_due()

    assert post.counters["bytes_out"] == 2 * len(b"sealed")


def test_nothing_is_published_offline_and_everything_once_online(post: Post) -> None:
    for number in (1, 2, 3):
        post.courier.send(post.put(number, due_s=1002.0))
    post.courier.send_due()
    assert post.broker.taken == []

    post.courier.online(100)
    post.courier.send_due()

    assert sorted(post.broker.tickets) == [1, 2, 3]
    assert post.counters["resends"] == 0


def test_a_broker_that_goes_in_between_leaves_the_parcel_due(post: Post) -> None:
    post.courier.online(100)
    post.broker.offline = True
    post.courier.send(post.put(1, due_s=1002.0))
    post.courier.send_due()

    post.broker.offline = False
    post.courier.send_due()

    assert post.broker.tickets == [1]


def test_no_more_are_under_way_than_the_broker_takes(post: Post) -> None:
    for number in range(1, 6):
        post.put(number)
    post.courier.online(2)

    post.courier.send_due()

    assert len(post.broker.taken) == 2


def test_no_more_are_under_way_than_the_window(post: Post) -> None:
    for number in range(1, IN_FLIGHT + 10):
        post.put(number)
    post.courier.online(65_535)

    post.courier.send_due()
    post.courier.send(post.put(999))

    assert len(post.broker.taken) == IN_FLIGHT


def test_each_acknowledgement_lets_one_more_go(post: Post) -> None:
    for number in range(1, 6):
        post.put(number)
    post.courier.online(2)
    post.courier.send_due()

    for mid in (1, 2, 3):
        post.courier.acknowledged(Acknowledged(mid, SUCCESS))

    assert sorted(post.broker.tickets) == [1, 2, 3, 4, 5]


def test_an_acknowledgement_ends_nothing(post: Post) -> None:
    post.put(1)
    post.courier.online(100)
    post.courier.send_due()

    post.courier.acknowledged(Acknowledged(1, SUCCESS))

    assert len(post.outbox) == 1


def test_an_acknowledgement_of_something_else_is_passed_over(post: Post) -> None:
    post.courier.online(100)

    post.courier.acknowledged(Acknowledged(77, SUCCESS))

    assert post.counters == Counter()


def test_it_is_known_when_something_is_sent_again(post: Post) -> None:
    post.courier.online(100)
    before_s = post.courier.due_in_s()

    post.courier.send(post.put(1))
    post.clock.now_s += 0.5

    assert (before_s, post.courier.due_in_s()) == (math.inf, RESEND_S - 0.5)


def test_the_pauses_grow_are_jittered_and_stay_under_half_a_minute(post: Post) -> None:
    post.put(1)
    post.courier.online(100)
    pauses: list[float] = []
    for mid in range(1, 12):
        post.courier.send_due()
        post.courier.acknowledged(Acknowledged(mid, SUCCESS))
        pauses.append(post.pause_s(1))
        post.clock.now_s += pauses[-1]

    longest = [min(RESEND_S * 2**attempts, 30.0) for attempts in range(1, 12)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))
    assert len(set(pauses)) == len(pauses)
    assert len(post.broker.taken) == 11


def test_a_question_that_waits_for_a_day_is_still_sent(post: Post) -> None:
    post.put(1)
    post.outbox.resend_at([(UUID(int=1), 0.0)] * 5000)
    post.courier.online(100)

    post.courier.send_due()

    assert post.broker.tickets == [1]
    assert 15.0 <= post.pause_s(1) <= 30.0


def test_what_was_under_way_when_the_broker_went_leaves_room_for_the_next(post: Post) -> None:
    for number in (1, 2, 3):
        post.put(number)
    post.courier.online(2)
    post.courier.send_due()

    post.courier.offline("gone")
    post.courier.acknowledged(Acknowledged(1, SUCCESS))  # came too late
    post.courier.online(2)
    post.courier.send_due()

    assert post.courier.reason == "no worker is listening"
    assert len(post.broker.taken) == 3  # the third; the first two rest
