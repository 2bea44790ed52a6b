"""Questions through every kind of broker: ours in the clear, ours guarded, another make's.

What a device and a worker use of a broker is MQTT 5 alone: shared subscriptions, correlation data,
the response topic, expiry, retained messages, wills.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.stages import Origin
from broker.fleet.guard import guarded_broker
from broker.fleet.mosquitto import running_broker
from broker.fleet.pools import add_worker
from broker.fleet.root import open_root
from broker.fleet.settings import Listeners
from broker.wire import session
from broker.wire.tls import TlsFiles
from broker.wire.topics import WorkerId
from tests.asker import POOL, Asker, Fleet
from tests.integration.running import QUESTION, free_port, running_agent, running_worker
from tests.other_broker import other_broker

pytestmark = pytest.mark.broker

KINDS = ("mosquitto", "mosquitto, guarded", "rumqttd", "rumqttd, TLS")


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connects again at once."""
    monkeypatch.setattr(session, "_FIRST_RETRY_S", (0.05, 0.1))


@contextmanager
def broker_of(kind: str, fleet: Fleet, folder: Path) -> Iterator[tuple[int, bool]]:
    """A broker; its port, and whether it wants certificates."""
    match kind:
        case "mosquitto":
            with running_broker(folder / "broker") as broker:
                yield broker.port, False
        case "mosquitto, guarded":
            with guarded_broker(fleet.folder, folder / "broker") as broker:
                yield broker.port, True
        case "rumqttd":
            with other_broker(folder) as broker:
                yield broker.port, False
        case _:
            with other_broker(folder, fleet=fleet.folder) as broker:
                yield broker.port, True


@pytest.mark.parametrize("kind", KINDS)
def test_questions_are_answered_whoever_made_the_broker(
    fleet: Fleet, asker: Asker, tmp_path: Path, kind: str
) -> None:
    with broker_of(kind, fleet, tmp_path) as (port, tls):
        files = TlsFiles.of(fleet.device_folder(asker)) if tls else None
        with (
            running_agent(asker, tmp_path / "state", port, tls=files) as agent,
            running_worker(fleet, tmp_path / "claims.db", port, tls=tls) as worker,
        ):
            for number in range(20):
                agent.ask(identity=str(number))
            answers = [agent.answer() for _ in range(20)]
            assert agent.answers.empty()

    assert {(each.answer, each.origin) for each in answers} == {(QUESTION, Origin.CLOUD)}
    assert worker.counters["answered"] == 20
    assert not agent.counters["refused_by_broker"]
    assert not agent.counters["subscriptions_refused"]


@pytest.mark.parametrize("kind", KINDS[1::2])
def test_a_question_finds_the_worker_that_comes_after_it(
    fleet: Fleet, asker: Asker, tmp_path: Path, kind: str
) -> None:
    with broker_of(kind, fleet, tmp_path) as (port, tls):
        files = TlsFiles.of(fleet.device_folder(asker)) if tls else None
        with running_agent(asker, tmp_path / "state", port, tls=files) as agent:
            agent.ask()
            while not agent.counters["bytes_out"]:
                time.sleep(0.01)
            with running_worker(fleet, tmp_path / "claims.db", port, tls=tls):
                answer = agent.answer()

    assert (answer.answer, answer.origin) == (QUESTION, Origin.CLOUD)


def test_two_workers_with_certificates_of_their_own_share_the_questions(
    fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    second = add_worker(open_root(fleet.folder), POOL, WorkerId("second"), now_s=time.time())
    files = TlsFiles.of(fleet.device_folder(asker))
    with (
        guarded_broker(fleet.folder, tmp_path / "broker") as broker,
        running_agent(asker, tmp_path / "state", broker.port, tls=files) as agent,
        running_worker(fleet, tmp_path / "1.db", broker.port, tls=True) as one,
        running_worker(fleet, tmp_path / "2.db", broker.port, tls=True, keys=second) as two,
    ):
        number = 0
        while not (one.counters["answered"] and two.counters["answered"]):
            agent.ask(identity=str(number := number + 1))
            assert agent.answer().origin is Origin.CLOUD


def test_a_guarded_broker_that_restarts_while_a_question_waits_loses_nothing(
    fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    ports = Listeners("127.0.0.1", free_port(), 0)
    files = TlsFiles.of(fleet.device_folder(asker))
    with running_agent(asker, tmp_path / "state", ports.port, tls=files) as agent:
        with guarded_broker(fleet.folder, tmp_path / "broker", ports):
            agent.ask()
            while not agent.counters["nobody_listened"]:
                time.sleep(0.01)
        with (
            guarded_broker(fleet.folder, tmp_path / "broker", ports),
            running_worker(fleet, tmp_path / "claims.db", ports.port, tls=True),
        ):
            answer = agent.answer()
            assert agent.counters["broker_losses"] == 1

    assert (answer.answer, answer.origin) == (QUESTION, Origin.CLOUD)


def test_a_device_that_was_thrown_out_answers_by_itself_and_says_why(
    fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    files = TlsFiles.of(fleet.device_folder(asker))
    fleet.revoke(asker)
    with (
        guarded_broker(fleet.folder, tmp_path / "broker") as broker,
        running_agent(asker, tmp_path / "state", broker.port, patience_s=5.0, tls=files) as agent,
    ):
        while agent.counters["subscriptions_refused"] < 4:  # answers, workers, keys, state
            time.sleep(0.01)
        agent.ask()
        answer = agent.answer()

    assert answer.origin is Origin.DEGRADED
    assert answer.flags[0].endswith(
        "not authorized: the broker's access rules do not allow it (0x87)"
    )
    assert agent.counters["subscriptions_refused"] == 4
    assert agent.counters["refused_by_broker"] > 0
