"""Who may be called what at a running broker: nobody takes another's name."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from broker.fleet import access, guard
from broker.fleet.access import Member
from broker.fleet.certificates import OPERATOR
from broker.fleet.control import bring_into_line
from broker.fleet.guard import guarded_broker
from broker.fleet.members import members_of
from broker.fleet.mosquitto import RunningBroker
from broker.wire import session, topics
from broker.wire.session import FAILURE, Message
from tests.guarded import (
    DEVICES,
    FLEET,
    GuardedFleet,
    joining,
    linked,
    make_guarded_fleet,
    member,
)

pytestmark = pytest.mark.broker

BOARD, OTHER, THIRD = DEVICES
STATE = topics.device_state(FLEET, BOARD)
INVITED = access.joiner(FLEET, "invitation-1")


@dataclass(frozen=True)
class House:
    """A fleet and its broker."""

    fleet: GuardedFleet
    broker: RunningBroker


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once: a session that is closed in between waits for the end of the pause."""
    monkeypatch.setattr(session, "_FIRST_RETRY_S", (0.01, 0.02))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A fleet with a running broker that no test changes; there is one invitation."""
    folder = tmp_path_factory.mktemp("house")
    fleet = make_guarded_fleet(folder / "fleet")
    with guarded_broker(fleet.folder, folder / "broker") as running:
        everybody = (*members_of(fleet.folder), Member(INVITED, "right"))
        bring_into_line(fleet.folder, everybody, host=running.host, port=running.port)
        yield House(fleet, running)


@pytest.mark.parametrize("name", [OTHER, "main.1", OPERATOR])
def test_nobody_takes_another_members_name(house: House, name: str) -> None:
    fleet, broker = house.fleet, house.broker
    with linked(member(fleet, broker, name)) as link:
        thief = replace(member(fleet, broker, BOARD), client_id=name, user=name)
        with linked(thief) as stolen:
            assert stolen.publish(STATE) < FAILURE  # it is who its certificate says

        link.take(0.2)
        assert link.offline() == []


def test_two_with_one_certificate_are_told_what_it_may_be(house: House) -> None:
    address = member(house.fleet, house.broker, THIRD)
    with linked(address) as first, linked(address):
        first.wait(lambda: bool(first.offline()))

    assert first.offline()[0].endswith("or a second connection has our name")


def test_a_will_in_another_name_is_not_published(house: House) -> None:
    fleet, broker = house.fleet, house.broker
    states = tuple(topics.device_state(FLEET, each) for each in (BOARD, OTHER))
    with linked(member(fleet, broker, OPERATOR), states) as operator:
        for topic in states:
            with linked(member(fleet, broker, BOARD), will=Message(topic, b"gone")):
                pass

        operator.wait(lambda: bool(operator.heard()))
        operator.take(0.2)
        assert operator.heard() == [STATE]


STRANGERS = {
    "a wrong password": ("join.invitation-1", "wrong"),
    "no password": ("join.invitation-1", ""),
    "no invitation": ("join.invitation-2", "right"),
    "a device": (BOARD, ""),
    "a worker": ("main.1", "right"),
    "the operator": (OPERATOR, "right"),
    "nobody": ("", ""),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_nobody_joins_without_an_invitation(house: House, name: str) -> None:
    broker = house.broker
    user, password = STRANGERS[name]

    with linked(replace(joining(broker, INVITED, password), user=user, client_id=BOARD)) as link:
        assert (link.online(), link.offline()) == (0, ["the broker refused us: Not authorized"])


def test_an_invitation_that_is_older_than_the_broker_lets_its_board_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet")
    everybody = (*members_of(fleet.folder), Member(INVITED, "right"))
    monkeypatch.setattr(guard, "members_of", lambda _: everybody)

    with (
        guarded_broker(fleet.folder, tmp_path / "broker") as broker,
        linked(joining(broker, INVITED, "right")) as link,
        linked(joining(broker, INVITED, "wrong")) as wrong,
    ):
        assert (link.online(), wrong.online()) == (1, 0)

    written = (tmp_path / "broker" / "dynamic-security.json").read_text()
    assert INVITED.name in written
    assert "right" not in written
