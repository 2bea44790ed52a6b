"""Members of a fleet at its running broker: they come, go, and stay who they are."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.fleet import access, control, devices
from broker.fleet.access import Member
from broker.fleet.certificates import OPERATOR
from broker.fleet.control import Changes, bring_into_line
from broker.fleet.errors import RulesRefusedError
from broker.fleet.guard import guarded_broker
from broker.fleet.keys import enroll
from broker.fleet.members import members_of
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.root import open_root
from broker.fleet.settings import Listeners
from broker.wire import session, topics
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import FAILURE
from broker.wire.topics import DeviceId
from tests.guarded import (
    DEVICES,
    FLEET,
    POOL,
    GuardedFleet,
    joining,
    linked,
    make_guarded_fleet,
    member,
)
from tests.other_broker import other_broker

pytestmark = pytest.mark.broker

BOARD, OTHER, THIRD = DEVICES
NEW = DeviceId("board-4")
STATE = topics.device_state(FLEET, BOARD)
ASK = topics.Route(FLEET, POOL, BOARD).ask
NOTHING = Changes((), (), ())


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once: a session that is closed in between waits for the end of the pause."""
    monkeypatch.setattr(session, "_FIRST_RETRY_S", (0.01, 0.02))


@pytest.fixture
def fleet(tmp_path: Path) -> GuardedFleet:
    return make_guarded_fleet(tmp_path / "fleet")


@pytest.fixture
def broker(fleet: GuardedFleet, tmp_path: Path) -> Iterator[RunningBroker]:
    with guarded_broker(fleet.folder, tmp_path / "broker") as running:
        yield running


def told(fleet: GuardedFleet, broker: RunningBroker, *invited: Member) -> Changes:
    everybody = (*members_of(fleet.folder), *invited)
    return bring_into_line(fleet.folder, everybody, host=broker.host, port=broker.port)


def test_a_broker_that_has_just_begun_has_nothing_to_learn(
    fleet: GuardedFleet, broker: RunningBroker
) -> None:
    assert told(fleet, broker) == NOTHING


def test_who_was_thrown_out_is_cut_off_and_refused(
    fleet: GuardedFleet, broker: RunningBroker
) -> None:
    answers = topics.answer(FLEET, BOARD)
    with linked(member(fleet, broker, BOARD), (answers,)) as link:
        assert link.publish(ASK) < FAILURE
        devices.revoke(open_root(fleet.folder), BOARD)

        changes = told(fleet, broker)

        link.wait(lambda: link.online() == 2)
        assert changes == replace(NOTHING, removed=(BOARD,))
        assert link.offline()[0].endswith("changed what we may do, or thrown us out")
        assert link.publish(ASK) >= FAILURE
        assert link.refused() == {answers}


def test_others_stay_connected_while_somebody_comes_and_somebody_goes(
    fleet: GuardedFleet, broker: RunningBroker
) -> None:
    with linked(member(fleet, broker, OTHER)) as link:
        devices.revoke(open_root(fleet.folder), BOARD)
        enroll(fleet.folder, NEW, POOL, now_s=time.time())

        changes = told(fleet, broker)

        assert changes == Changes(added=(NEW,), removed=(BOARD,), changed=())
        assert link.publish(topics.device_state(FLEET, OTHER)) < FAILURE
        assert link.offline() == []
    with linked(member(fleet, broker, NEW)) as link:
        assert link.publish(topics.device_state(FLEET, NEW)) < FAILURE


def test_a_large_fleet_is_compared_page_by_page(
    fleet: GuardedFleet, broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("_NAMES", "_ROLES", "_COMMANDS"):
        monkeypatch.setattr(control, limit, 2)
    for number in range(4, 8):
        enroll(fleet.folder, DeviceId(f"board-{number}"), POOL, now_s=time.time())

    changes = told(fleet, broker)

    assert changes.added == ("board-4", "board-5", "board-6", "board-7")
    assert told(fleet, broker) == NOTHING


def test_an_answer_waits_for_its_device_while_the_broker_restarts(
    fleet: GuardedFleet, tmp_path: Path
) -> None:
    answers, folder = topics.answer(FLEET, BOARD), tmp_path / "broker"
    with guarded_broker(fleet.folder, folder) as broker:
        ports = Listeners(broker.host, broker.port, broker.join_port)
        away = replace(member(fleet, broker, BOARD), session_expiry_s=3600)
        with linked(away, (answers,)) as link:
            link.publish(STATE)  # the subscription is there
        with linked(member(fleet, broker, "main.1")) as worker:
            assert worker.publish(answers) < FAILURE

    with guarded_broker(fleet.folder, folder, ports), linked(away, (answers,)) as link:
        link.wait(lambda: link.heard() == [answers])


def test_rules_that_are_not_as_they_should_be_are_written_again(
    fleet: GuardedFleet, broker: RunningBroker
) -> None:
    wrong = replace(access.device(FLEET, BOARD), publish=("#",))
    others = [each for each in members_of(fleet.folder) if each.role.name != BOARD]
    everybody = (*others, Member(wrong))
    bring_into_line(fleet.folder, everybody, host=broker.host, port=broker.port)
    with linked(member(fleet, broker, BOARD)) as link:
        assert link.publish("x") < FAILURE

        changes = told(fleet, broker)

        assert changes == replace(NOTHING, changed=(BOARD,))
        assert link.publish("x") >= FAILURE


def test_a_restarted_broker_knows_what_the_fleets_folder_says(
    fleet: GuardedFleet, tmp_path: Path
) -> None:
    folder = tmp_path / "broker"
    with guarded_broker(fleet.folder, folder) as broker:
        ports = Listeners(broker.host, broker.port, broker.join_port)
    devices.revoke(open_root(fleet.folder), BOARD)

    with guarded_broker(fleet.folder, folder, ports) as broker:
        assert told(fleet, broker) == NOTHING
        with linked(member(fleet, broker, BOARD)) as link:
            assert link.publish(ASK) >= FAILURE


def test_nobody_but_the_operator_changes_the_rules(
    fleet: GuardedFleet, broker: RunningBroker
) -> None:
    files = fleet.files(BOARD)
    for path in (files.certificate, files.private_key):
        (fleet.folder / "operator" / path.name).write_bytes(path.read_bytes())

    with pytest.raises(RulesRefusedError, match="does not take us for its operator"):
        told(fleet, broker)


def test_a_broker_that_is_not_there_is_told(fleet: GuardedFleet, broker: RunningBroker) -> None:
    with pytest.raises(BrokerUnavailableError, match="Connection refused"):
        told(fleet, replace(broker, port=1))


def test_a_board_with_an_invitation_joins_as_itself(
    fleet: GuardedFleet, broker: RunningBroker
) -> None:
    role = access.joiner(FLEET, "invitation-1")
    changes = told(fleet, broker, Member(role, "right"))

    with linked(joining(broker, role, "right"), role.subscribe) as link:
        assert link.publish(role.publish[0]) < FAILURE
        told(fleet, broker)  # the invitation is used up

        link.wait(lambda: bool(link.offline()))
    assert changes == replace(NOTHING, added=(role.name,))


def test_a_command_that_the_broker_does_not_take_is_told(
    fleet: GuardedFleet, broker: RunningBroker
) -> None:
    twice: control.Command = {"command": "createRole", "rolename": BOARD}

    with (
        control._controlling(member(fleet, broker, OPERATOR)) as connection,
        pytest.raises(RulesRefusedError, match="createRole: Role already exists"),
    ):
        connection.tell([twice])


def test_a_broker_that_keeps_no_rules_is_told(fleet: GuardedFleet, tmp_path: Path) -> None:
    with (
        other_broker(tmp_path, fleet=fleet.folder) as other,
        pytest.raises(BrokerUnavailableError, match="the connection ended"),
    ):
        told(fleet, other)
