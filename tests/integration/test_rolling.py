"""Releases seen through by a connected operator: waves, forgeries, halts, aborts, lost messages."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from threading import Event as Flag
from typing import Self

import pytest

from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.fleet.releases.courses import Course
from broker.fleet.releases.publish import Ledger as Retained
from broker.fleet.releases.reports import FORGED, OLDER
from broker.wire import session
from broker.wire.release import Rollout
from firstline.bench.update_line import session_line
from firstline.exits import CommandError
from firstline.rolling import following
from firstline.rolling.following import bring
from firstline.rolling.waiting import wait_for
from tests.releases import GROUP, NOW_S, PACKAGE, address_of, make_board
from tests.rolling import NAMES, PATIENCE_S, Fleet, draft, make_fleet, until

pytestmark = pytest.mark.broker


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_FIRST_RETRY_S", (0.01, 0.02))
    monkeypatch.setattr(following, "LOOK_S", 0.05)
    monkeypatch.setattr(following, "SETTLE_S", 0.5)


@pytest.fixture
def fleet(tmp_path: Path, broker: RunningBroker) -> Fleet:
    return make_fleet(tmp_path / "fleet", broker)


class Waiter:
    """An operator who waits for a release, on a thread of its own."""

    def __init__(self, fleet: Fleet, course: Course) -> None:
        self.steward = fleet.steward()
        self._fleet, self._course = fleet, course
        self._stop, self._pool = Flag(), ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self.ended: Future[Course] = self._pool.submit(
            wait_for, self.steward, self._course, self._fleet.server, stopped=self._stop.is_set
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()

    @property
    def serves(self) -> bool:
        """Whether it has filled the broker."""
        return bool(Retained(self._fleet.folder).last())

    def course(self) -> Course:
        """As it is on disk."""
        return self.steward.rollouts.courses.one(PACKAGE, GROUP)


def turn(course: Course) -> list[str]:
    return [name for name in NAMES if course.rollout.includes(name)]


def seen_by_a_board(fleet: Fleet, broker: RunningBroker, folder: Path) -> Rollout | None:
    """What a board that knows nothing yet takes from the broker."""
    state = Path(mkdtemp(dir=folder)) / "state"
    with (
        session_line(address_of(broker, "board-9")) as line,
        make_board(state, fleet.operator).trusting(line) as trust,
    ):
        trust.refresh()
        return trust.rollout(GROUP, PACKAGE)


def test_waves_go_on_as_boards_prove_that_they_are_done(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path
) -> None:
    course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)
    first = turn(course)

    with Waiter(fleet, course) as waiter:
        fleet.say(*(fleet.report(name, course, "done") for name in first))
        until(lambda: waiter.course().wave == 1)
        fleet.say(*(fleet.report(name, course, "done") for name in NAMES if name not in first))
        ended = waiter.ended.result(PATIENCE_S)

    assert 0 < len(first) < len(NAMES)
    assert ended.finished
    assert seen_by_a_board(fleet, broker, tmp_path) == ended.rollout
    assert ended.rollout.percent == 100.0


def test_a_forged_or_an_older_done_moves_no_wave(fleet: Fleet) -> None:
    course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)
    first, other = turn(course)[0], NAMES[-1]
    old_done = fleet.report(first, course, "done")
    fleet.say(fleet.report(first, course, "watching"))

    with Waiter(fleet, course) as waiter:
        counters = waiter.steward.reports.counters
        until(lambda: first in waiter.steward.reports.latest)
        fleet.say(old_done)
        until(lambda: counters[OLDER] == 1)
        fleet.say(fleet.report(first, course, "done", key=other))
        until(lambda: counters[FORGED] == 1)
        wave = waiter.course().wave
        fleet.say(*(fleet.report(name, course, "done") for name in turn(course)))
        until(lambda: waiter.course().wave == 1)

    assert wave == 0


def test_a_failed_board_halts_the_release_and_the_broker_has_it(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path
) -> None:
    course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)
    bad = turn(course)[0]
    fleet.say(fleet.report(bad, course, "failed", reason="self-test: 3 of 8 answers differ"))

    with Waiter(fleet, course) as waiter, pytest.raises(CommandError, match="too many failed"):
        waiter.ended.result(PATIENCE_S)

    signed = seen_by_a_board(fleet, broker, tmp_path)
    assert signed is not None
    assert (signed.state, signed.percent) == ("paused", 50.0)


def test_a_command_beside_one_that_waits_is_at_the_broker_and_stays_there(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path
) -> None:
    course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)

    with Waiter(fleet, course) as waiter:
        until(lambda: waiter.serves)
        beside = fleet.steward()
        paused = beside.rollouts.pause(course, "too many calls", now_s=NOW_S)
        bring(beside, fleet.address)
        seen = seen_by_a_board(fleet, broker, tmp_path)
        waits_on = not waiter.ended.done()
        aborted = beside.rollouts.abort(course, "wrong weights", now_s=NOW_S)
        bring(beside, fleet.address)
        with pytest.raises(CommandError, match="was aborted: wrong weights"):
            waiter.ended.result(PATIENCE_S)

    assert waits_on
    assert seen == paused.rollout
    assert seen_by_a_board(fleet, broker, tmp_path) == aborted.rollout


def test_a_release_that_is_replaced_ends_the_wait(fleet: Fleet) -> None:
    course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)

    with Waiter(fleet, course) as waiter:
        fleet.steward().rollouts.begin(draft(fleet.second), now_s=NOW_S)
        with pytest.raises(CommandError, match="was replaced"):
            waiter.ended.result(PATIENCE_S)


def test_a_second_command_that_waits_sees_what_the_first_one_does(fleet: Fleet) -> None:
    course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)

    with Waiter(fleet, course) as first, Waiter(fleet, course) as second:
        fleet.say(*(fleet.report(name, course, "done") for name in turn(course)))
        until(lambda: first.course().wave == 1)
        fleet.say(*(fleet.report(name, course, "done") for name in NAMES))
        ended = [waiter.ended.result(PATIENCE_S) for waiter in (first, second)]

    assert [course.finished for course in ended] == [True, True]


def test_a_wait_that_is_ended_is_taken_up_where_it_was(fleet: Fleet) -> None:
    course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)
    with Waiter(fleet, course) as waiter:
        fleet.say(*(fleet.report(name, course, "done") for name in turn(course)))
        until(lambda: waiter.course().wave == 1)
    rest = [name for name in NAMES if name not in turn(course)]
    fleet.say(*(fleet.report(name, course, "done") for name in rest))  # while nobody listens

    with Waiter(fleet, course) as again:
        assert again.ended.result(PATIENCE_S).finished


def test_a_broker_that_lost_everything_is_given_all_of_it_again(tmp_path: Path) -> None:
    with ExitStack() as last:
        with running_broker(tmp_path / "one") as broker:
            fleet = make_fleet(tmp_path / "fleet", broker)
            course = fleet.steward().rollouts.begin(draft(fleet.first), now_s=NOW_S)
            waiter = last.enter_context(Waiter(fleet, course))
            until(lambda: waiter.serves)

        with running_broker(tmp_path / "two", port=broker.port) as broker:
            signed = seen_by_a_board(fleet, broker, tmp_path)
            last.close()

    assert signed == course.rollout
