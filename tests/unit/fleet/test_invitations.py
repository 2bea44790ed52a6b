"""Who is invited, until when, and who else knows."""

import pytest

from broker.fleet import devices
from broker.fleet.admission import Outcome, answer
from broker.fleet.errors import AlreadyEnrolledError, BadNameError
from broker.fleet.invitations import LIFE_S, find, invite
from broker.fleet.members import members_of
from broker.fleet.root import Root, open_root
from broker.wire.join_code import JoinSecret
from broker.wire.topics import DeviceId
from tests.asker import POOL, Asker, Fleet
from tests.joiner import Joiner, make_joiner

NOW_S = 1_700_000_000.0
BOARD = DeviceId("board-7")


@pytest.fixture
def root(fleet: Fleet) -> Root:
    return open_root(fleet.folder)


@pytest.fixture
def secret(root: Root) -> JoinSecret:
    return invite(root, BOARD, POOL, now_s=NOW_S)[0].opened()


def ask(root: Root, joiner: Joiner) -> Outcome:
    return answer(root, joiner.secret.id, joiner.wire, now_s=NOW_S).outcome


def test_the_broker_knows_who_may_come_and_who_has(root: Root, secret: JoinSecret) -> None:
    joiner = f"join.{secret.id}"
    before = {each.role.name: each.password for each in members_of(root.folder)}

    ask(root, make_joiner(secret))

    after = {each.role.name: each.password for each in members_of(root.folder)}
    assert before[joiner] == after[joiner] == secret.password  # it may ask again
    assert set(after) - set(before) == {BOARD}


def test_nobody_else_can_read_an_invitation_and_the_code_is_not_in_it(root: Root) -> None:
    made, code = invite(root, BOARD, POOL, now_s=NOW_S)

    (path,) = (root.folder / "invitations").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert code.text not in path.read_text().upper()
    assert made.secret not in repr(made)


def test_an_invitation_is_forgotten_a_day_after_its_end(root: Root, secret: JoinSecret) -> None:
    invite(root, DeviceId("board-8"), POOL, now_s=NOW_S + LIFE_S + 86_400 + 1)

    assert find(root.folder, secret.id) is None


def test_a_damaged_invitation_lets_nobody_in(root: Root, secret: JoinSecret) -> None:
    (root.folder / "invitations" / f"{secret.id}.json").write_bytes(b"{")

    assert ask(root, make_joiner(secret)) == Outcome.UNKNOWN


def test_a_bad_name_or_a_device_of_the_fleet_cannot_be_invited(root: Root, asker: Asker) -> None:
    with pytest.raises(BadNameError):
        invite(root, DeviceId("../evil"), POOL, now_s=NOW_S)
    with pytest.raises(AlreadyEnrolledError, match="choose another name"):
        invite(root, asker.route.device, POOL, now_s=NOW_S)

    assert not (root.folder / "invitations").exists()


def test_no_private_key_of_a_board_is_with_the_operator(root: Root, secret: JoinSecret) -> None:
    ask(root, make_joiner(secret))

    kept = {path.name for path in devices.folder_of(root.folder, BOARD).iterdir()}

    assert kept == {"enrolled.json"}
