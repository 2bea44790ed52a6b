"""A board gets new keys over a real broker with TLS and access rules, wherever it is cut short."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread

import pytest

from broker.fleet import where
from broker.fleet.certificates import OPERATOR
from broker.fleet.guard import guarded_broker
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.renewing import Outcome
from broker.fleet.root import open_root, read_roster
from broker.fleet.where import Where
from broker.wire.credentials import load_device
from broker.wire.errors import BrokerUnavailableError
from broker.wire.tls import TlsFiles
from broker.wire.topics import DeviceId, renewal_answer, renewal_request
from firstline import cli
from firstline.build import lock
from firstline.exits import ExitCode
from firstline.granting import grant_all
from tests.guarded import DEVICES, FLEET, GuardedFleet, linked, make_guarded_fleet, member

pytestmark = pytest.mark.broker

BOARD = DEVICES[0]
NEW_FILES = ("identity.key", "tls.key", "tls.pem")


@dataclass(frozen=True)
class Place:
    """A fleet with a running broker, and the folder of one of its boards."""

    fleet: GuardedFleet
    broker: RunningBroker
    home: Path

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    def renew(self, *words: str) -> int:
        settings = str(self.home / "agent.toml")
        return cli.main(["renew", "--settings", settings, "--json", *words])

    def grant(self) -> int:
        folder = str(self.fleet.folder)
        return cli.main(["fleet", "renew", "--dir", folder, "--wait-s", "4", "--json"])

    def in_roster(self) -> tuple[str, ...]:
        return read_roster(self.fleet.folder).devices[BOARD].keys


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    fleet = make_guarded_fleet(tmp_path / "fleet")
    with guarded_broker(fleet.folder, tmp_path / "broker") as broker:
        where.keep(fleet.folder, Where(broker.host, broker.port, broker.join_port))
        home = tmp_path / "board"
        shutil.copytree(fleet.folder / "devices" / BOARD, home / "keys")
        (home / "agent.toml").write_text(
            f'[broker]\nhost = "{broker.host}"\nport = {broker.port}\ntls = true\n'
            '[models.commands]\npackage = "commands-small"\n'
            '[[tasks]]\nname = "home"\nmodel = "commands"\ndomain = "home"\nmax_error = 0.05\n'
            'input = { kind = "folder", path = "inbox" }\n'
            'output = { kind = "folder", path = "answers" }\n'
        )
        yield Place(fleet, broker, home)


@contextmanager
def operator(place: Place) -> Iterator[dict[DeviceId, Outcome]]:
    """An operator who grants while the block lasts."""
    root, address = open_root(place.fleet.folder), member(place.fleet, place.broker, OPERATOR)
    outcomes: dict[DeviceId, Outcome] = {}
    stop = Event()

    def grant() -> None:
        outcomes.update(grant_all(root, address, wait_s=250.0, stopped=stop.is_set))

    thread = Thread(target=grant)
    thread.start()
    try:
        yield outcomes
    finally:
        stop.set()
        thread.join()


def public(keys: Path) -> str:
    return load_device(keys).signing_key.public_key().public_bytes_raw().hex()


def contents(keys: Path) -> dict[str, bytes]:
    return {name: (keys / name).read_bytes() for name in NEW_FILES}


def test_who_is_not_the_operator_is_told_so(place: Place) -> None:
    address = member(place.fleet, place.broker, DEVICES[1])

    with pytest.raises(BrokerUnavailableError, match=r"it brings nothing of .*/renew: not auth"):
        grant_all(open_root(place.fleet.folder), address, wait_s=30.0)


def test_a_board_asks_is_granted_and_connects_with_its_new_certificate(place: Place) -> None:
    old, before = public(place.keys), contents(place.keys)

    with operator(place) as outcomes:
        code = place.renew()

    assert (code, outcomes) == (ExitCode.OK, {BOARD: Outcome.RENEWED})
    assert place.in_roster() == (old, public(place.keys))
    assert all(before[name] != content for name, content in contents(place.keys).items())
    assert not (place.keys / "renewal").exists()
    address = member(place.fleet, place.broker, BOARD)
    with linked(replace(address, tls=TlsFiles.of(place.keys))) as link:
        assert link.online() == 1


def test_an_operator_who_comes_later_finds_the_request_and_the_board_its_answer(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    old = public(place.keys)

    assert place.renew("--wait-s", "4") == ExitCode.TIMEOUT
    assert public(place.keys) == old
    capsys.readouterr()
    assert place.grant() == ExitCode.OK
    granted = json.loads(capsys.readouterr().out)["devices"]
    assert place.renew() == ExitCode.OK

    assert granted == {BOARD: Outcome.RENEWED}

    assert place.in_roster() == (old, public(place.keys))


def test_the_request_is_gone_from_the_broker_once_it_is_granted(place: Place) -> None:
    with operator(place):
        place.renew()

    operators = member(place.fleet, place.broker, OPERATOR)
    with linked(operators, (renewal_request(FLEET, BOARD),)) as link:
        link.take(0.5)
        link.take(0.2)
        assert link.heard() == []


def test_forged_answers_are_passed_over(place: Place) -> None:
    operators = member(place.fleet, place.broker, OPERATOR)
    with linked(operators) as link:
        for forged in (b"", b"{}", b"\xff" * 300):
            link.publish(renewal_answer(FLEET, BOARD), forged, retain=True)

    with operator(place):
        assert place.renew() == ExitCode.OK


def test_an_agent_that_runs_keeps_its_keys(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock(place.home / "state"):
        assert place.renew() == ExitCode.FAILURE

    assert "the agent runs" in json.loads(capsys.readouterr().out)["error"]["message"]
