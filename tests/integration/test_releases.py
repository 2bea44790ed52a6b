"""What the operator signs, and what a board takes of it, over a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.update.cache import Cache
from agent.update.errors import RefusedError
from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.fleet.releases.rotation import rotate
from firstline import cli
from firstline.exits import ExitCode
from tests.line import NotedLine, noted_line
from tests.releases import (
    GROUP,
    PACKAGE,
    Board,
    Operator,
    a_choice,
    a_plan,
    a_rollout,
    address_of,
    make_board,
    make_operator,
)

pytestmark = pytest.mark.broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def operator(tmp_path: Path, broker: RunningBroker) -> Operator:
    return make_operator(tmp_path / "fleet", broker)


@pytest.fixture
def board(tmp_path: Path, operator: Operator) -> Board:
    return make_board(tmp_path / "state", operator)


@pytest.fixture
def line(broker: RunningBroker) -> Iterator[NotedLine]:
    with noted_line(address_of(broker, "board-1")) as line:
        yield line


def test_a_board_takes_what_the_operator_released(
    operator: Operator, board: Board, line: NotedLine
) -> None:
    plan = a_plan()
    operator.release(plan)
    operator.roll_out(a_rollout(1, plan))

    with board.trusting(line) as trust:
        trust.refresh()
        rollout = trust.rollout(GROUP, PACKAGE)
        found = trust.plan(a_choice(plan), group=GROUP, package=PACKAGE)

    assert rollout == a_rollout(1, plan)
    assert found == plan


def test_a_group_without_a_rollout_runs_what_it_has(
    operator: Operator, board: Board, line: NotedLine
) -> None:
    operator.release(a_plan())

    with board.trusting(line) as trust:
        trust.refresh()

        assert trust.rollout(GROUP, PACKAGE) is None


def test_a_plan_for_other_groups_is_refused_whoever_chose_it(
    operator: Operator, board: Board, line: NotedLine
) -> None:
    plan = a_plan(groups=("lab",))
    operator.release(plan)
    operator.roll_out(a_rollout(1, plan))

    with board.trusting(line) as trust:
        trust.refresh()
        trust.rollout(GROUP, PACKAGE)
        with pytest.raises(RefusedError, match="not for the group"):
            trust.plan(a_choice(plan), group=GROUP, package=PACKAGE)


def test_a_look_when_nothing_is_new_asks_for_the_next_root_and_the_date_alone(
    operator: Operator, board: Board, line: NotedLine
) -> None:
    operator.release(a_plan())
    with board.trusting(line) as trust:
        first = trust.refresh()
    line.asked.clear()

    with board.trusting(line) as trust:
        again = trust.refresh()

    assert again == first
    assert [topic.split("/")[-2] for topic in line.asked] == ["2.root.json", "timestamp.json"]


def test_after_the_root_has_other_keys_a_new_board_begins_there_and_an_old_one_follows(
    operator: Operator, board: Board, line: NotedLine, tmp_path: Path
) -> None:
    operator.publish()
    with board.trusting(line) as trust:
        before = trust.refresh()
    rotate(operator.repository, "root", passphrase=None, now_s=operator.now_s)
    operator.repository.vouch_for_root(operator.root)
    operator.publish()
    new = make_board(tmp_path / "new", operator)

    seen = []
    for each in (board, new):
        line.asked.clear()
        with each.trusting(line) as trust:
            seen.append(trust.refresh())

    assert (before.root, seen[0].root, seen[1].root) == (1, 2, 2)
    assert not any("/2.root.json/" in topic for topic in line.asked)  # it has that one


def test_what_a_killed_look_left_behind_is_removed_by_the_next(
    operator: Operator, board: Board, line: NotedLine
) -> None:
    operator.publish()
    note = board.state / "updates" / "tuf" / "working"
    cache = Cache(note.parent)
    left = cache.lay_out()
    foreign = left.with_name("firstline-somebody-elses")
    foreign.mkdir()

    with board.trusting(line) as trust:
        trust.refresh()
        at_work = left.with_name(note.read_text(encoding="ascii"))
        there = left.exists(), at_work.exists()
    for damage in (foreign.name, "..", "\0" * 18, "firstline-", ""):
        note.write_text(damage, encoding="ascii")
        cache.clear()

    assert there == (False, True)
    assert not at_work.exists()
    assert foreign.exists()
    foreign.rmdir()


def test_publishing_keys_dates_releases_too(
    operator: Operator, board: Board, line: NotedLine, broker: RunningBroker
) -> None:
    with board.trusting(line) as trust:
        before = trust.refresh().timestamp
    place = ("--host", broker.host, "--port", str(broker.port))

    assert cli.main(["fleet", "publish", "--dir", str(operator.folder), *place]) == ExitCode.OK

    with board.trusting(line) as trust:
        assert trust.refresh().timestamp == before + 1
