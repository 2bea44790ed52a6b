"""What the loop does with an input: asked, answered here, refused, passed over."""

from collections import Counter
from dataclasses import replace

from agent.core.errors import InputError
from agent.shell.events import ticket_of
from agent.stages import Origin
from broker.wire.session import Online
from tests.unit.agent.bench import Bench
from tests.unit.agent.device import sure


def test_an_input_that_is_asked_is_taken_and_its_question_sent(bench: Bench) -> None:
    event = bench.arrived(b"lights on")

    bench.run(Online(100), event)

    [question] = bench.link.questions()
    assert question.correlation == ticket_of(event, b"lights on").bytes
    assert bench.taken == ["a.txt"]
    assert bench.counters == Counter(asked=1, escalated=1, sends=1, bytes_out=len(question.payload))


def test_an_input_that_is_answered_here_is_taken_and_asks_nobody(bench: Bench) -> None:
    device = bench.device
    device.with_task(replace(device.task, model=sure()))
    bench.loop._pipeline = device.pipeline

    bench.run(Online(100), bench.arrived(b"lights on"))

    assert [delivery.origin for delivery in device.delivered] == [Origin.DEVICE]
    assert (bench.taken, bench.link.questions()) == (["a.txt"], [])


def test_an_input_that_cannot_be_used_is_refused_with_the_reason(bench: Bench) -> None:
    bench.run(bench.arrived(b"\xff\xfe"))

    assert bench.taken == []
    assert len(bench.refused) == 1
    assert bench.counters == Counter(asked=1, rejected=1)


def test_an_input_that_cannot_be_read_is_refused(bench: Bench) -> None:
    def fail(_limit: int) -> bytes:
        raise InputError("the card is broken")

    bench.run(replace(bench.arrived(b""), read=fail))

    assert bench.refused == ["the card is broken"]


def test_an_input_that_has_gone_is_passed_over(bench: Bench) -> None:
    bench.run(replace(bench.arrived(b""), read=lambda _: None))

    assert (bench.taken, bench.refused, bench.counters) == ([], [], Counter())


def test_an_input_of_a_task_that_was_removed_is_left_where_it_is(bench: Bench) -> None:
    bench.run(bench.arrived(b"lights on", task="garden"))

    assert (bench.taken, bench.refused) == ([], [])
    assert bench.counters == Counter(inputs_without_task=1)


def test_no_more_than_the_tasks_limit_is_read(bench: Bench) -> None:
    limits: list[int] = []

    def read(limit: int) -> bytes:
        limits.append(limit)
        return b"x" * limit

    bench.run(replace(bench.arrived(b""), read=read))

    assert limits == [bench.device.task.expect.max_bytes + 1]
    assert bench.counters["rejected"] == 1
