"""What waits is sent by its task's priority, and none passes by what has waited."""

from dataclasses import replace
from uuid import UUID

import pytest

from broker.wire.messages import Kind, Priority, Question, dump_question, load_question
from broker.wire.payload import Text
from broker.wire.session import Acknowledged
from tests.unit.agent.device import Device
from tests.unit.agent.post_office import SUCCESS, Post

QUESTION = Question("home", Text("lights on"))


def test_a_normal_question_is_as_it_always_was_on_the_wire() -> None:
    header = b'{"domain":"home","payload":"text"}'

    assert dump_question(QUESTION) == bytes([Kind.QUESTION, 0, len(header)]) + header + b"lights on"


@pytest.mark.parametrize("priority", Priority)
def test_a_priority_travels_inside_the_seal(priority: Priority) -> None:
    question = replace(QUESTION, priority=priority)

    assert load_question(dump_question(question)) == question


def test_a_question_is_put_with_its_tasks_priority(device: Device) -> None:
    for number, priority in enumerate([Priority.LOW, Priority.NORMAL, Priority.HIGH]):
        device.with_task(replace(device.task, priority=priority))
        device.escalate("lights on", UUID(int=number + 1))

    due = device.outbox.due(device.clock.now_s + 5.0)

    assert [parcel.ticket.int for parcel in due] == [3, 2, 1]


def test_what_is_new_waits_behind_what_comes_first(post: Post) -> None:
    for number, rank in [(1, 1), (2, 1), (3, 1)]:
        post.put(number, rank=rank)
    post.courier.online(1)
    post.courier.send_due()  # one is under way, two wait

    post.courier.send(post.put(4, rank=2))
    post.courier.send(post.put(5, rank=0))
    for mid in range(1, 5):
        post.courier.acknowledged(Acknowledged(mid, SUCCESS))

    assert post.broker.tickets == [1, 5, 2, 3, 4]


def test_with_nothing_waiting_what_is_new_goes_at_once(post: Post) -> None:
    post.courier.online(2)

    post.courier.send(post.put(1, rank=2))
    post.courier.send(post.put(2, rank=0))

    assert post.broker.tickets == [1, 2]
