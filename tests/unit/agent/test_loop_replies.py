"""What the loop does with a reply: delivered or counted, and acknowledged either way."""

import pytest

from broker.wire.session import Online, Receipt
from tests.simulator import CloudSimulator, duplicate
from tests.unit.agent.bench import Bench


def test_a_reply_is_delivered_and_acknowledged(bench: Bench) -> None:
    bench.run(Online(100), bench.arrived(b"mail bob@example.org"))
    [question] = bench.link.questions()

    bench.run(bench.reply(question, "to <EMAIL_1>"))

    assert [delivery.answer for delivery in bench.device.delivered] == ["to bob@example.org"]
    assert bench.link.acknowledged == [Receipt(1, 1)]


REFUSED = {
    "without a ticket": (b"", b""),
    "with half a ticket": (b"", b"1234"),
    "not to be opened": (b"x" * 100, None),
}


@pytest.mark.parametrize(("payload", "correlation"), REFUSED.values(), ids=REFUSED)
def test_a_reply_that_is_refused_is_counted_and_acknowledged(
    bench: Bench, payload: bytes, correlation: bytes | None
) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    [question] = bench.link.questions()

    bench.run(bench.received(payload, question.correlation if correlation is None else correlation))

    assert bench.counters["replies_refused"] == 1
    assert bench.link.acknowledged == [Receipt(1, 1)]
    assert bench.device.delivered == []


def test_a_second_copy_is_counted_and_acknowledged(bench: Bench, cloud: CloudSimulator) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    [question] = bench.link.questions()
    cloud.way_back = duplicate
    replies = cloud.ask(bench.device.pipeline.post.route, question.payload)

    bench.run(*(bench.received(reply, question.correlation) for reply in replies))

    assert bench.counters["replies_repeated"] == 1
    assert len(bench.link.acknowledged) == 2
    assert len(bench.device.delivered) == 1


def test_a_row_that_does_not_open_is_counted_and_acknowledged(bench: Bench) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    [question] = bench.link.questions()
    bench.device.outbox._db.execute("UPDATE outbox SET memo = x'00'")

    bench.run(bench.received(b"x", question.correlation))

    assert bench.counters["rows_unreadable"] == 1
    assert bench.link.acknowledged == [Receipt(1, 1)]


def test_a_reply_that_a_full_disk_cannot_note_is_acknowledged_and_comes_again(
    bench: Bench,
) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    [question] = bench.link.questions()
    reply = bench.reply(question, "yes")
    bench.device.outbox._db.execute("PRAGMA query_only = ON")  # what a disk without room does

    bench.run(reply)
    assert (bench.device.delivered, bench.counters["outbox_full"]) == ([], 1)
    assert bench.link.acknowledged == [Receipt(1, 1)]

    bench.device.outbox._db.execute("PRAGMA query_only = OFF")
    bench.run(reply)
    assert [delivery.answer for delivery in bench.device.delivered] == ["yes"]


def test_of_two_answers_that_come_together_the_first_is_stored_and_delivered(bench: Bench) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    [question] = bench.link.questions()
    bench.device.shelf.closed = True

    bench.run(bench.reply(question, "first"), bench.reply(question, "second"))
    bench.device.shelf.closed = False
    bench.device.clock.now_s += 10.0
    bench.device.pipeline.redeliver()

    assert [delivery.answer for delivery in bench.device.delivered] == ["first"]
    assert bench.counters["replies_repeated"] == 1
