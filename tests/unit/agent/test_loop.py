"""The one loop: a queue in, real parts behind it, a link made of lists."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Timer
from uuid import UUID

import pytest

from agent.core.errors import InputError
from agent.pipeline import Task
from agent.shell.courier import Courier
from agent.shell.events import Arrived, Exhausted, SettingsChanged, Stop, ticket_of
from agent.shell.loop import AgentEvent, Loop
from agent.shell.presence import Presence
from agent.stages import Origin
from broker.wire.envelope import seal_reply
from broker.wire.errors import BrokerUnavailableError
from broker.wire.messages import Answer, dump_reply
from broker.wire.session import Acknowledged, Message, Offline, Online, Receipt, Received
from tests.simulator import CloudSimulator, duplicate
from tests.unit.agent.device import PATIENCE_S, RESEND_S, TASK, Device, sure

STATE = "fl/v1/home/dev/board-1/state"
WORKER = "fl/v1/home/pool/main/worker/w-1"


@dataclass(slots=True)
class Link:
    """The fleet's broker, as far as the loop sees it."""

    published: list[Message] = field(default_factory=list)
    acknowledged: list[Receipt] = field(default_factory=list)
    offline: bool = False

    def publish(self, message: Message) -> int:
        if self.offline:
            raise BrokerUnavailableError("offline")
        self.published.append(message)
        return len(self.published)

    def ack(self, receipt: Receipt) -> None:
        self.acknowledged.append(receipt)

    def questions(self) -> list[Message]:
        return [message for message in self.published if "/ask/" in message.topic]


@dataclass(slots=True)
class Source:
    """An input that counts what is done with it."""

    started: int = 0
    scanned: int = 0
    stopped: int = 0

    def start(self) -> None:
        self.started += 1

    def scan(self) -> None:
        self.scanned += 1

    def stop(self) -> None:
        self.stopped += 1


@dataclass(slots=True)
class Bench:
    """A loop, what goes into it, and what comes out."""

    device: Device
    loop: Loop
    queue: SimpleQueue[AgentEvent]
    link: Link
    source: Source
    counters: Counter[str]
    reloaded: list[dict[str, Task] | None] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def arrived(self, text: bytes, source: str = "a.txt", task: str = TASK) -> Arrived:
        return Arrived(
            task,
            source,
            "1",
            lambda limit: text[:limit],
            lambda: self.taken.append(source),
            lambda error: self.refused.append(str(error)),
        )

    def run(self, *events: AgentEvent) -> None:
        """Serve these events and stop."""
        for event in (*events, Stop()):
            self.queue.put(event)
        self.loop._running = True
        self.loop.run()

    def reply(self, message: Message, answer: str) -> Received:
        """A true reply to a question."""
        ticket = UUID(bytes=message.correlation)
        key = self.device.pipeline.post.memo(ticket).reply_key
        sealed = seal_reply(dump_reply(Answer(answer, "large 1", 1.0)), key)
        return self.received(sealed, message.correlation)

    def received(self, payload: bytes, correlation: bytes) -> Received:
        topic = self.device.pipeline.post.route.answer
        return Received(topic, payload, correlation, Receipt(1, 1))


@pytest.fixture
def bench(device: Device) -> Bench:
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    link, source = Link(), Source()
    counters: Counter[str] = Counter()
    reloaded: list[dict[str, Task] | None] = []
    courier = Courier(
        route=device.pipeline.post.route,
        outbox=device.outbox,
        publish=link.publish,
        now_s=device.clock,
        resend_s=RESEND_S,
        counters=counters,
    )
    loop = Loop(
        queue=queue,
        pipeline=device.pipeline,
        courier=courier,
        link=link,
        presence=Presence(topic=STATE, session=1, about={}, counters=counters),
        inputs=[source],
        reload=lambda: reloaded.pop(0),
        counters=counters,
    )
    return Bench(device, loop, queue, link, source, counters, reloaded)


def test_inputs_are_started_and_stopped(bench: Bench) -> None:
    bench.run()

    assert (bench.source.started, bench.source.stopped) == (1, 1)


def test_an_input_that_is_asked_is_taken_and_its_question_sent(bench: Bench) -> None:
    event = bench.arrived(b"lights on")

    bench.run(Online(100), event)

    [question] = bench.link.questions()
    assert question.correlation == ticket_of(event, b"lights on").bytes
    assert bench.taken == ["a.txt"]
    assert bench.counters == Counter(asked=1, escalated=1)


def test_an_input_that_is_answered_here_is_taken_and_asks_nobody(bench: Bench) -> None:
    device = bench.device
    device.with_task(replace(device.task, model=sure()))
    bench.loop._pipeline = device.pipeline

    bench.run(Online(100), bench.arrived(b"lights on"))

    assert [delivery.origin for delivery in device.delivered] == [Origin.DEVICE]
    assert (bench.taken, bench.link.questions()) == (["a.txt"], [])


def test_a_reply_is_delivered_and_acknowledged(bench: Bench) -> None:
    bench.run(Online(100), bench.arrived(b"mail bob@example.org"))
    [question] = bench.link.questions()

    bench.run(bench.reply(question, "to <EMAIL_1>"))

    assert [delivery.answer for delivery in bench.device.delivered] == ["to bob@example.org"]
    assert bench.link.acknowledged == [Receipt(1, 1)]


def test_a_question_that_was_asked_offline_goes_out_once_online(bench: Bench) -> None:
    bench.run(bench.arrived(b"lights on"))
    assert bench.link.published == []

    bench.run(Online(100))

    assert len(bench.link.questions()) == 1
    assert len(bench.device.outbox) == 1


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


def test_a_worker_that_comes_makes_waiting_questions_go_out_again(bench: Bench) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))

    bench.run(
        Acknowledged(2, 0x10),
        Received(WORKER, b'{"online": true}', b"", Receipt(3, 1)),
    )
    bench.loop._tick()

    assert len(bench.link.questions()) == 2
    assert bench.link.acknowledged == [Receipt(3, 1)]


def test_each_connection_begins_with_the_birth(bench: Bench) -> None:
    bench.run(Online(100), Offline("gone"), Online(100))

    births = [json.loads(message.payload) for message in bench.link.published]
    assert [birth["online"] for birth in births] == [True, True]
    assert births[1]["counters"] == {"broker_losses": 1}


def test_a_tick_expires_what_waited_too_long_and_says_why(bench: Bench) -> None:
    bench.run(bench.arrived(b"lights on"), Offline("the broker refused us: Banned"))
    bench.device.clock.now_s += PATIENCE_S

    bench.loop._tick()

    [delivery] = bench.device.delivered
    assert delivery.flags == ("the broker refused us: Banned",)
    assert bench.counters["expired"] == 1


def test_a_tick_expires_more_than_one_batch(bench: Bench) -> None:
    bench.device.outbox._max_rows = 1000
    bench.run(*(bench.arrived(b"on", source=f"q{number}") for number in range(150)))
    bench.device.clock.now_s += PATIENCE_S

    bench.loop._tick()

    assert len(bench.device.delivered) == 150


def test_a_tick_delivers_what_an_output_did_not_take(bench: Bench) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    bench.device.shelf.closed = True
    bench.run(bench.reply(bench.link.questions()[0], "yes"))
    bench.device.shelf.closed = False
    bench.device.clock.now_s += 10.0

    bench.loop._tick()

    assert [delivery.answer for delivery in bench.device.delivered] == ["yes"]


def test_a_duty_that_fails_keeps_no_other_from_being_done(bench: Bench) -> None:
    bench.run(bench.arrived(b"lights on"))
    bench.device.clock.now_s += PATIENCE_S
    bench.device.outbox._db.execute("PRAGMA query_only = ON")
    bench.loop._next_scan_s = 0.0

    bench.loop._tick()

    assert bench.counters["outbox_full"] >= 1
    assert bench.source.scanned == 1


def test_a_mistake_of_ours_is_counted_and_the_loop_goes_on(bench: Bench) -> None:
    def fail(_limit: int) -> bytes:
        raise ZeroDivisionError

    bench.run(replace(bench.arrived(b""), read=fail), bench.arrived(b"lights on"))

    assert bench.counters["unexpected_errors"] == 1
    assert bench.taken == ["a.txt"]


def test_news_that_cannot_be_told_offline_are_counted(bench: Bench) -> None:
    bench.run(Online(100))
    bench.counters["asked"] += 1
    bench.link.offline = True
    bench.loop._presence._next_s = 0.0

    bench.loop._tick()

    assert bench.counters["presence_unsent"] == 1


def test_new_settings_are_used_for_the_next_input(bench: Bench) -> None:
    device = bench.device
    bench.reloaded.append({TASK: replace(device.task, model=sure())})

    bench.run(SettingsChanged(), bench.arrived(b"lights on"))

    assert [delivery.answer for delivery in device.delivered] == ["lights_on"]
    assert bench.counters["settings_reloaded"] == 1


def test_settings_that_cannot_be_used_leave_the_old_ones(bench: Bench) -> None:
    bench.reloaded.append(None)

    bench.run(SettingsChanged(), bench.arrived(b"lights on"))

    assert bench.counters == Counter(settings_refused=1, asked=1, escalated=1)


def test_the_loop_ends_when_its_inputs_have_ended_and_all_is_answered(bench: Bench) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    reply = bench.reply(bench.link.questions()[0], "yes")
    bench.loop._running = True
    bench.queue.put(Exhausted("standard input"))
    later = Timer(0.8, bench.queue.put, [reply])  # one tick finds a question that waits
    later.start()

    bench.loop.run()

    assert [delivery.answer for delivery in bench.device.delivered] == ["yes"]
    assert not later.is_alive()


def test_events_without_a_pause_do_not_stop_the_clock(bench: Bench) -> None:
    bench.run(bench.arrived(b"lights on"))
    bench.device.clock.now_s += PATIENCE_S

    def read(_limit: int) -> bytes | None:
        time.sleep(0.2)
        return None

    bench.run(*(replace(bench.arrived(b""), read=read) for _ in range(6)))

    assert bench.counters["expired"] == 1
