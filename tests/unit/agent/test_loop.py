"""The one loop: its ticks, its connections, its settings and its end."""

import json
import time
from collections import Counter
from dataclasses import replace
from threading import Timer

from agent.shell.events import Exhausted, SettingsChanged
from broker.wire.session import Acknowledged, Offline, Online, Receipt, Received
from tests.unit.agent.bench import Bench
from tests.unit.agent.device import PATIENCE_S, RESEND_S, TASK, sure

WORKER = "fl/v1/home/pool/main/worker/w-1"


def test_inputs_are_started_and_stopped(bench: Bench) -> None:
    bench.run()

    assert (bench.source.started, bench.source.stopped) == (1, 1)


def test_a_question_that_was_asked_offline_goes_out_once_online(bench: Bench) -> None:
    bench.run(bench.arrived(b"lights on"))
    assert bench.link.published == []

    bench.run(Online(100))

    assert len(bench.link.questions()) == 1
    assert len(bench.device.outbox) == 1


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


def test_a_tick_comes_when_a_question_is_to_be_sent_again(bench: Bench) -> None:
    bench.run(Online(100))
    begun_s = time.monotonic()
    idle_s = bench.loop._tick() - begun_s
    bench.run(Online(100), bench.arrived(b"lights on"))

    bench.device.clock.now_s += RESEND_S - 0.1
    soon_s = bench.loop._tick() - time.monotonic()

    assert soon_s <= 0.1 < idle_s


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
