"""`firstline broker` and what of `firstline fleet` speaks to a guarded broker."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.fleet import where
from broker.fleet.guard import guarded_broker
from broker.fleet.keys import enroll
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.where import Where
from broker.wire import topics
from broker.wire.session import FAILURE
from broker.wire.topics import DeviceId, WorkerId
from firstline import cli
from firstline.exits import ExitCode
from tests.guarded import DEVICES, FLEET, POOL, GuardedFleet, linked, make_guarded_fleet, member

pytestmark = pytest.mark.broker

BOARD = DEVICES[0]


@dataclass(frozen=True)
class Running:
    fleet: GuardedFleet
    broker: RunningBroker


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    fleet = make_guarded_fleet(tmp_path / "fleet")
    with guarded_broker(fleet.folder, tmp_path / "broker") as broker:
        where.keep(fleet.folder, Where(broker.host, broker.port, broker.join_port))
        yield Running(fleet, broker)


def test_a_revoked_device_is_cut_off_by_the_command(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, broker = running.fleet, running.broker
    with linked(member(fleet, broker, BOARD)) as link:
        code = cli.main(["fleet", "revoke", BOARD, "--dir", str(fleet.folder), "--json"])

        link.wait(lambda: bool(link.offline()))
    assert code == 0
    assert json.loads(capsys.readouterr().out)["broker"] == f"The broker knows: removed {BOARD}."


def test_a_device_whose_folder_is_made_here_is_known_to_the_broker_at_once(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, broker = running.fleet, running.broker
    words = ["board-4", "--folder", "--pool", POOL, "--dir", str(fleet.folder), "--json"]

    code = cli.main(["fleet", "enroll", *words])

    document = json.loads(capsys.readouterr().out)
    assert (code, document["broker"]) == (0, "The broker knows: added board-4.")
    with linked(member(fleet, broker, "board-4")) as link:
        assert link.publish(topics.device_state(FLEET, DeviceId("board-4"))) < FAILURE


def test_one_more_worker_has_a_name_of_its_own_at_the_broker(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, broker = running.fleet, running.broker
    words = ["fleet", "worker", "second", "--pool", POOL, "--dir", str(fleet.folder)]

    first, again = cli.main([*words, "--json"]), cli.main(words)

    told = capsys.readouterr()
    document = json.loads(told.out)
    assert (first, again) == (0, ExitCode.FAILURE)
    assert document["broker"] == "The broker knows: added main.second."
    assert "is there already" in told.err
    presence = topics.worker_presence(FLEET, POOL, WorkerId("second"))
    with linked(member(fleet, broker, "main.second")) as link:
        assert link.publish(presence) < FAILURE


def test_a_worker_of_no_pool_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder

    code = cli.main(["fleet", "worker", "second", "--pool", "none", "--dir", str(fleet)])

    assert code == ExitCode.FAILURE
    assert "has no pool 'none'" in capsys.readouterr().err


def test_a_broker_that_is_away_is_told_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder
    where.keep(fleet, Where("127.0.0.1", 1, 2))

    code = cli.main(["fleet", "revoke", BOARD, "--dir", str(fleet)])

    assert code == 0
    assert f"Later: firstline broker rules --fleet {fleet}" in capsys.readouterr().out


def test_the_rules_of_a_running_broker_are_brought_into_line(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(running.fleet.folder)
    enroll(running.fleet.folder, DeviceId("board-4"), POOL, now_s=time.time())

    first = cli.main(["broker", "rules", "--fleet", folder, "--json"])
    second = cli.main(["broker", "rules", "--fleet", folder])

    document, line = capsys.readouterr().out.splitlines()
    assert (first, second) == (0, 0)
    assert json.loads(document)["added"] == ["board-4"]
    assert line.endswith(": nothing to change.")


def test_the_status_is_heard_by_the_operators_certificate(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, broker = running.fleet, running.broker
    state = topics.device_state(FLEET, BOARD)
    told = b'{"session": 1, "online": true, "counters": {"asked": 3}}'
    with linked(member(fleet, broker, BOARD)) as link:
        assert link.publish(state, told, retain=True) < FAILURE

        code = cli.main(["fleet", "status", "--dir", str(fleet.folder), "--wait-s", "2", "--json"])

    (device,) = json.loads(capsys.readouterr().out)["devices"]
    assert code == 0
    assert (device["device"], device["counters"]) == (BOARD, {"asked": 3})


def test_a_broker_for_elsewhere_is_written_and_remembered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder
    words = ["--host", "broker.example.org", "--at", "/mosquitto/config", "--plugin", "/p.so"]

    code = cli.main(
        ["broker", "config", str(tmp_path / "files"), "--fleet", str(fleet), *words, "--json"]
    )

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["next"] == "mosquitto -c /mosquitto/config/mosquitto.conf"
    assert where.known(fleet) == Where("broker.example.org", 8883, 8884)
    assert "plugin /p.so\n" in (tmp_path / "files" / "mosquitto.conf").read_text()


MISTAKES = {
    "others let in without TLS": (["up", "--bind", "0.0.0.0"], "or say --plain"),  # noqa: S104
    "plain and a fleet": (["up", "--plain", "--fleet", "fleet"], "leave one out"),
    "rules of a broker that nobody knows": (["rules"], "nothing is known of a broker"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    words, told = MISTAKES[name]

    code = cli.main(["broker", *words])

    assert code == ExitCode.USAGE
    assert told in capsys.readouterr().err


def test_a_folder_without_a_fleet_has_no_broker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["broker", "up", "--fleet", str(tmp_path / "none"), "--port", "0"])

    assert code == ExitCode.FAILURE
    assert "none" in capsys.readouterr().err
