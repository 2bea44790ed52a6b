"""Devices take turns at an engine, and none takes all of its room."""

from uuid import UUID

from broker.wire.envelope import ReplyKey
from broker.wire.messages import Answer, Priority, Question
from broker.wire.payload import Text
from broker.wire.topics import DeviceId
from cloud_worker.letters import Envelope, Job
from cloud_worker.load import Load
from cloud_worker.models import Engine
from cloud_worker.store import Request
from cloud_worker.turns import Turns

ENGINE = Engine("model 1", lambda *_: Answer("", "model 1", 1.0))
ROOM = 66


def job(device: str, number: int = 0, priority: Priority = Priority.NORMAL) -> Job:
    request = Request(DeviceId(device), UUID(int=number), b"", 0.0)
    envelope = Envelope("topic", request, ReplyKey(b"", b""))
    return Job(envelope, Question("home", Text(""), priority), ENGINE, 0.0)


def order(turns: Turns, count: int) -> list[tuple[str, int]]:
    """Who is next, and with what."""
    taken = [turns.take()[0].envelope.request for _ in range(count)]
    return [(request.device, request.ticket.int) for request in taken]


def test_a_device_that_floods_waits_for_itself() -> None:
    turns = Turns()
    for number in range(3):
        turns.put(job("flood", number), 100.0)
    turns.put(job("quiet", 9), 100.0)

    assert order(turns, 4) == [("flood", 0), ("quiet", 9), ("flood", 1), ("flood", 2)]


def test_of_one_device_the_most_urgent_is_next_and_equals_in_their_order() -> None:
    turns = Turns()
    for number, deadline_s in enumerate([300.0, 100.0, 200.0, 100.0]):
        turns.put(job("a", number), deadline_s)

    assert order(turns, 4) == [("a", 1), ("a", 3), ("a", 2), ("a", 0)]


def test_a_priority_comes_first_among_its_devices_own_and_takes_no_others_turn() -> None:
    turns = Turns()
    turns.put(job("quiet", 9), 900.0)
    for number, priority in enumerate([Priority.LOW, Priority.NORMAL, Priority.HIGH]):
        turns.put(job("a", number, priority), 100.0 + number)
    turns.put(job("a", 3, Priority.HIGH), 50.0)

    assert order(turns, 5) == [("quiet", 9), ("a", 3), ("a", 2), ("a", 1), ("a", 0)]


def test_a_device_alone_has_two_thirds_of_the_room_and_the_next_still_gets_in() -> None:
    load = Load(lambda _: ROOM)

    assert fill(load, "flood") == ROOM * 2 // 3 + 1
    assert fill(load, "second") > 1
    assert load.has_room(job("third"))


def test_what_is_answered_makes_room_and_leaves_nothing_behind() -> None:
    load = Load(lambda _: 1)
    load.add(job("a"), 1.0)
    assert not load.has_room(job("b"))

    since_s = load.take(job("a"))

    assert since_s == 1.0
    assert load.has_room(job("b"))
    assert (len(load), load._shares) == (0, {})


def fill(load: Load, device: str) -> int:
    """Accept from a device as long as there is room for it; return how many."""
    count = 0
    while load.has_room(job(device, count)):
        load.add(job(device, count), 1.0)
        count += 1
    return count
