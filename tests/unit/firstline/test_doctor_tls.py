"""What the doctor says of a broker with TLS, and that it disturbs nobody by looking."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from broker.fleet.authority import open_authority, write_client
from broker.fleet.certificates import CLIENT_LIFE_S
from broker.fleet.guard import guarded_broker
from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.wire.session import FAILURE
from broker.wire.tls import TlsFiles
from broker.wire.topics import device_state
from firstline.checks import reach
from firstline.checks.finding import Finding, State
from tests.guarded import (
    DEVICES,
    FLEET,
    GuardedFleet,
    linked,
    make_guarded_fleet,
    make_strange_fleet,
    member,
)

pytestmark = pytest.mark.broker

BOARD = DEVICES[0]
DAY_S = 86_400


@dataclass(frozen=True)
class House:
    fleet: GuardedFleet
    broker: RunningBroker

    def look(self, files: TlsFiles) -> Finding:
        return reach.finding("broker", self.broker.host, self.broker.port, files)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    fleet = make_guarded_fleet(folder / "fleet")
    with guarded_broker(fleet.folder, folder / "broker") as broker:
        yield House(fleet, broker)


def test_a_right_certificate_is_found_right_and_its_owner_stays_connected(house: House) -> None:
    with linked(member(house.fleet, house.broker, BOARD)) as link:
        found = house.look(house.fleet.files(BOARD))

        assert link.publish(device_state(FLEET, BOARD)) < FAILURE
        assert link.offline() == []
    assert found.state is State.OK
    assert "takes TLS 1.3 connections, and our certificate until 20" in found.seen


@pytest.mark.parametrize(("left_days", "state"), [(60, State.OK), (20, State.WARN)])
def test_a_certificate_that_ends_soon_is_a_warning(
    house: House, tmp_path: Path, left_days: int, state: State
) -> None:
    made, begun_s = open_authority(house.fleet.folder), time.time() - CLIENT_LIFE_S
    write_client(made, tmp_path, BOARD, now_s=begun_s + left_days * DAY_S)

    assert house.look(TlsFiles.of(tmp_path)).state is state


def test_a_certificate_that_the_broker_refuses_fails_with_its_reason(
    house: House, tmp_path: Path
) -> None:
    other = make_strange_fleet(tmp_path / "other").files(BOARD)
    ours = house.fleet.files(BOARD)

    unknown = house.look(replace(other, authority=ours.authority))
    strange = house.look(other)
    missing = house.look(replace(ours, private_key=tmp_path / "tls.key"))

    assert {each.state for each in (unknown, strange, missing)} == {State.FAIL}
    assert "does not know who made our certificate" in unknown.seen
    assert "another authority made the broker's certificate" in strange.seen
    assert "tls.key: No such file" in missing.seen
    assert all(each.fix for each in (unknown, strange, missing))


def test_a_broker_without_tls_is_told(house: House, tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as plain:
        found = reach.finding("broker", plain.host, plain.port, house.fleet.files(BOARD))

    assert (found.state, "no TLS is spoken" in found.seen) == (State.FAIL, True)


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("192.0.2.1", False)],
)
def test_only_the_loopback_is_safe_without_tls(*, host: str, here: bool) -> None:
    assert (reach._in_the_clear("broker", host, 1883).state is State.OK) is here
