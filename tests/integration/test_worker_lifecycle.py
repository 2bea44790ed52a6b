"""Workers and brokers that stop, die and come back."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from broker.fleet.mosquitto import running_broker
from broker.wire.errors import BrokerUnavailableError
from broker.wire.messages import Answer, Question
from broker.wire.payload import Text
from broker.wire.session import (
    NO_MATCHING_SUBSCRIBERS,
    Acknowledged,
    Address,
    Event,
    Message,
    Session,
)
from tests.asker import DOMAIN, Asker, Fleet
from tests.site import PATIENCE_S, Setup, Site, line_of, service_of

pytestmark = pytest.mark.broker

ECHOED = Answer("hello <NAME_1>", "echo 1", 1.0)


def test_a_restarted_broker_finds_the_worker_again(
    asker: Asker, fleet: Fleet, tmp_path: Path, claims: Path
) -> None:
    asked = asker.ask()
    with running_broker(tmp_path / "broker") as broker:
        service = service_of(fleet, broker, claims, Setup())
        line = line_of(asker, broker)
        with service, line as open_line:
            open_line.wait_for_worker()
            before = open_line.answered(asked)
            os.kill(broker.pid, signal.SIGKILL)
            os.waitid(os.P_PID, broker.pid, os.WEXITED | os.WNOWAIT)
            with running_broker(tmp_path / "broker", port=broker.port):
                open_line.presences.clear()
                open_line.wait(lambda: open_line.online == 2)
                open_line.wait(lambda: any(p.payload for p in open_line.presences))
                again = open_line.answered(asked)
                other = open_line.answered(asker.ask())

    assert (before, again, other) == (ECHOED, ECHOED, ECHOED)
    assert open_line.replies[0].payload == open_line.replies[1].payload


def test_sigterm_finishes_what_was_accepted_and_takes_nothing_more(
    site: Site, tmp_path: Path
) -> None:
    accepted, late, gate = site.asker.ask(), site.asker.ask(), tmp_path / "gate"

    with site.process(gate) as process:
        site.line.ask(accepted)
        site.line.wait(lambda: site.claimed() == 1)
        process.send_signal(signal.SIGTERM)
        site.line.wait(lambda: site.line.presences[-1].payload == b"")
        site.line.ask(late)
        site.line.wait(lambda: len(site.line.codes) == 2)
        gate.touch()
        site.line.wait(lambda: len(site.line.replies) == 1)
        status = process.wait(PATIENCE_S)

    assert site.line.codes[1] == NO_MATCHING_SUBSCRIBERS  # another worker would have got it
    assert accepted.read(site.line.replies[0].payload) == ECHOED
    assert (status, site.line.of(late)) == (0, [])


def test_a_killed_workers_question_is_claimed_again_by_the_next_one(
    site: Site, tmp_path: Path
) -> None:
    done, half_done = site.asker.ask(), site.asker.ask(Question(DOMAIN, Text("again")))
    gate = tmp_path / "gate"

    with site.process(gate) as process:
        gate.touch()
        site.line.answered(done)
        gate.unlink()
        site.line.ask(half_done)
        site.line.wait(lambda: site.claimed() == 2)
        process.kill()
        process.wait()
        site.line.wait(lambda: site.line.presences[-1].payload == b"")  # the next one is another
    with site.worker() as service:
        first = site.line.answered(half_done)
        site.line.answered(done)

    assert first == Answer("again", "echo 1", 1.0)
    assert site.line.replies[0].payload == site.line.replies[-1].payload
    assert service.counters == {"answered": 1, "repeated": 1}


def test_a_killed_worker_vanishes_from_the_broker(site: Site, tmp_path: Path) -> None:
    with site.process(tmp_path / "gate") as process:
        process.kill()
        site.line.wait(lambda: site.line.presences[-1].payload == b"")

    assert site.line.presences[0].topic == site.line.presences[-1].topic


def test_a_worker_that_cannot_reach_its_broker_stops_when_told(
    fleet: Fleet, asker: Asker, tmp_path: Path, claims: Path
) -> None:
    assert asker.route.device
    with running_broker(tmp_path / "broker") as gone:
        pass

    started_s = time.monotonic()
    with service_of(fleet, gone, claims, Setup()) as service:
        time.sleep(0.2)

    assert time.monotonic() - started_s < PATIENCE_S
    assert service.counters["answered"] == 0


def test_nothing_is_published_while_offline(asker: Asker, tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as gone:
        pass
    address = Address(host=gone.host, port=gone.port, client_id="board-1")
    events: SimpleQueue[Event] = SimpleQueue()

    with (
        Session(address, subscriptions=[], sink=events.put) as session,
        pytest.raises(BrokerUnavailableError),
    ):
        session.publish(Message(asker.route.ask, b""))

    assert not any(isinstance(each, Acknowledged) for each in drained(events))


def drained(events: SimpleQueue[Event]) -> Iterator[Event]:
    while not events.empty():
        yield events.get()
