"""Waves that begin, finish and halt by themselves."""

from msgspec import structs

from broker.fleet.releases.rollouts import Rollouts
from tests.releases import GROUP, NOW_S, PACKAGE
from tests.unit.fleet.releases.boards import BOARDS, FIRST, SECOND, SECOND_WAVE, deeds, draft, said


def test_waves_go_on_when_enough_boards_are_done_and_the_wait_is_over(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    first = [name for name in BOARDS if course.rollout.includes(name)]
    done = said(course, dict.fromkeys(first, "done"))
    everybody = said(course, dict.fromkeys(BOARDS, "done"))

    early = rollouts.go_on(done, now_s=NOW_S + 59)
    wave = rollouts.go_on(done, now_s=NOW_S + 60)
    again = rollouts.go_on(done, now_s=NOW_S + 60)
    end = rollouts.go_on(everybody, now_s=NOW_S + 61)
    after = rollouts.go_on(everybody, now_s=NOW_S + 1e6)

    assert 0 < len(first) < len(BOARDS)
    assert (early, again, after) == ([], [], [])
    assert wave == [SECOND_WAVE]
    assert end == ["release 1 of lights for all: finished, 10 of 10 done"]
    assert deeds(rollouts)[1:] == [("wave", "by itself"), ("finish", "by itself")]
    assert rollouts.ledger.history().damages == ()


def test_failures_above_the_bar_stop_the_rollout_by_itself(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    first = next(name for name in BOARDS if course.rollout.includes(name))

    happened = rollouts.go_on(said(course, {first: "failed"}), now_s=NOW_S)

    (halted,) = rollouts.courses.all()
    assert happened == [f"release 1 of lights for all: halted, {halted.why}"]
    assert halted.why.startswith("too many failed: 0 of ")
    assert (halted.rollout.state, halted.halted) == ("paused", True)
    assert rollouts.repository.rollout(GROUP, PACKAGE) == halted.rollout
    assert rollouts.ledger.history().entries[-1].words == halted.why


def test_a_halted_release_goes_on_with_a_lower_bar(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    first = [name for name in BOARDS if course.rollout.includes(name)]
    reports = said(course, dict.fromkeys(first[1:], "done"))
    reports |= said(course, {first[0]: "failed"})
    rollouts.go_on(reports, now_s=NOW_S)

    resumed = rollouts.resume(course, success=0.5, percent=None, now_s=NOW_S)

    assert resumed.waves.success == 0.5
    assert rollouts.go_on(reports, now_s=NOW_S + 60) == [SECOND_WAVE]


def test_boards_that_never_report_stop_it_when_the_patience_is_over(rollouts: Rollouts) -> None:
    rollouts.begin(draft(), now_s=NOW_S)

    waiting = rollouts.go_on({}, now_s=NOW_S + 3599)
    happened = rollouts.go_on({}, now_s=NOW_S + 3600)

    assert waiting == []
    assert "halted, too slow: 0 of" in happened[0]
    assert "never said anything" in happened[0]


def test_waves_of_a_release_that_was_replaced_do_not_go_on(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(FIRST), now_s=NOW_S)
    done = said(course, dict.fromkeys(BOARDS, "done"))
    later = rollouts.begin(draft(SECOND), now_s=NOW_S)

    assert rollouts.go_on(done, now_s=NOW_S + 60) == []
    assert structs.replace(later) == rollouts.courses.one(PACKAGE, GROUP)


def test_a_wave_does_not_begin_of_a_release_that_was_paused_in_the_same_moment(
    rollouts: Rollouts,
) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    done = said(course, dict.fromkeys(BOARDS, "done"))
    rollouts.pause(course, "", now_s=NOW_S)

    happened = rollouts._step(course, done, now_s=NOW_S + 60)

    assert happened == []
    assert rollouts.courses.one(PACKAGE, GROUP).rollout.state == "paused"
