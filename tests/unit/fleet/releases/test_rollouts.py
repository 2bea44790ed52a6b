"""A release on its way: begun, paused, resumed, aborted."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from msgspec import structs

from broker.fleet.errors import FleetError, RolloutStateError, UnknownRolloutError
from broker.fleet.releases.audit import FILE
from broker.fleet.releases.rollouts import Rollouts
from tests.releases import GROUP, NOW_S, PACKAGE, a_choice, a_plan
from tests.unit.fleet.releases.boards import BOARDS, FIRST, SECOND, SECOND_WAVE, deeds, draft, said


def test_a_release_is_signed_with_its_first_wave_and_its_place_in_the_log(
    rollouts: Rollouts,
) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)

    signed = rollouts.repository.rollout(GROUP, PACKAGE)
    assert signed == course.rollout
    assert (signed.number, signed.release, signed.percent) == (1, 1, 50.0)
    assert signed.choices == (a_choice(FIRST),)
    assert deeds(rollouts) == [("release", "eve@desk")]
    log = (rollouts.ledger.folder / FILE).read_bytes()
    assert signed.log == sha256(log.rstrip(b"\n")).hexdigest()
    assert rollouts.ledger.history().damages == ()


def test_going_back_is_a_later_release_of_the_older_package(rollouts: Rollouts) -> None:
    rollouts.begin(draft(FIRST), now_s=NOW_S)
    rollouts.begin(draft(SECOND, group="kitchen"), now_s=NOW_S)

    back = rollouts.begin(draft(FIRST), now_s=NOW_S)

    assert (back.rollout.release, back.rollout.number) == (3, 2)
    assert back.rollout.choices == (a_choice(FIRST),)
    assert (
        rollouts.ledger.history().entries[-1].words.startswith("1.0.0, wave 1 of 2, 50 %; replaces")
    )


def test_of_two_releases_at_once_one_is_the_later_and_it_is_what_is_signed(
    rollouts: Rollouts,
) -> None:
    with ThreadPoolExecutor(4) as pool:
        begun = list(
            pool.map(lambda plan: rollouts.begin(draft(plan), now_s=NOW_S), [FIRST, SECOND] * 2)
        )

    latest = max(begun, key=lambda course: course.rollout.release)
    assert sorted(course.rollout.release for course in begun) == [1, 2, 3, 4]
    assert rollouts.repository.rollout(GROUP, PACKAGE) == latest.rollout
    assert rollouts.courses.all() == [latest]
    assert rollouts.ledger.history().damages == ()


def test_who_meant_the_release_before_changes_nothing(rollouts: Rollouts) -> None:
    first = rollouts.begin(draft(FIRST), now_s=NOW_S)
    second = rollouts.begin(draft(SECOND), now_s=NOW_S)

    with pytest.raises(RolloutStateError, match="was replaced meanwhile"):
        rollouts.abort(first, "", now_s=NOW_S)

    assert rollouts.repository.rollout(GROUP, PACKAGE) == second.rollout


def test_a_pause_holds_and_a_resume_goes_on_from_there(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    paused = rollouts.pause(course, "too many calls", now_s=NOW_S + 1)
    done = said(course, dict.fromkeys(BOARDS, "done"))
    assert rollouts.go_on(done, now_s=NOW_S + 1000) == []

    resumed = rollouts.resume(paused, success=None, percent=None, now_s=NOW_S + 2000)

    assert (paused.rollout.state, paused.why) == ("paused", "too many calls")
    assert (resumed.rollout.state, resumed.why) == ("running", "")
    assert resumed.rollout.number == 3
    assert rollouts.go_on(done, now_s=NOW_S + 2059) == []
    assert rollouts.go_on(done, now_s=NOW_S + 2060) == [SECOND_WAVE]


def test_a_finished_release_goes_on_to_more_boards_when_it_is_told_so(rollouts: Rollouts) -> None:
    few = structs.replace(draft(), waves=structs.replace(draft().waves, percents=(50.0,)))
    course = rollouts.begin(few, now_s=NOW_S)
    done = said(course, dict.fromkeys(BOARDS, "done"))
    assert "finished" in rollouts.go_on(done, now_s=NOW_S)[0]

    more = rollouts.resume(course, success=None, percent=75.0, now_s=NOW_S + 10)

    assert (more.rollout.percent, more.wave, more.finished) == (75.0, 1, False)
    assert more.rollout.release == course.rollout.release
    assert "finished" in rollouts.go_on(done, now_s=NOW_S + 10)[0]


def test_what_is_asked_twice_is_done_once(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)

    paused = [rollouts.pause(course, "", now_s=NOW_S) for _ in range(2)]

    assert paused[0] == paused[1]
    assert [what for what, _ in deeds(rollouts)] == ["release", "pause"]


def test_an_abort_is_for_ever(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    aborted = rollouts.abort(course, "wrong weights", now_s=NOW_S)

    with pytest.raises(RolloutStateError, match="aborted for ever"):
        rollouts.resume(aborted, success=0.5, percent=None, now_s=NOW_S)
    with pytest.raises(RolloutStateError, match="aborted for ever"):
        rollouts.pause(aborted, "", now_s=NOW_S)

    signed = rollouts.repository.rollout(GROUP, PACKAGE)
    assert signed is not None
    assert signed.state == "aborted"


def test_what_cannot_be_signed_changes_nothing_but_the_log(rollouts: Rollouts) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    unknown = a_plan("9.9.9")

    with pytest.raises(FleetError, match="nobody vouches for it"):
        rollouts.begin(draft(unknown), now_s=NOW_S)

    assert rollouts.courses.all() == [course]
    assert rollouts.repository.rollout(GROUP, PACKAGE) == course.rollout
    assert [what for what, _ in deeds(rollouts)] == ["release", "release"]


def test_a_first_release_that_cannot_be_signed_leaves_none(rollouts: Rollouts) -> None:
    with pytest.raises(FleetError, match="nobody vouches for it"):
        rollouts.begin(draft(a_plan("9.9.9")), now_s=NOW_S)

    assert rollouts.courses.all() == []


def test_the_release_that_a_person_means_is_found_or_the_others_are_named(
    rollouts: Rollouts,
) -> None:
    with pytest.raises(UnknownRolloutError, match="no such release; released: none"):
        rollouts.courses.one(None, None)
    course = rollouts.begin(draft(), now_s=NOW_S)
    assert rollouts.courses.one(None, None) == course
    kitchen = rollouts.begin(draft(group="kitchen"), now_s=NOW_S)

    assert rollouts.courses.one(PACKAGE, "kitchen") == kitchen
    with pytest.raises(UnknownRolloutError, match="released: lights for all, lights for kitchen"):
        rollouts.courses.one(PACKAGE, None)
    with pytest.raises(UnknownRolloutError, match="no such release"):
        rollouts.courses.one("other", None)


def test_a_course_that_was_lost_does_not_bring_old_numbers_back(rollouts: Rollouts) -> None:
    rollouts.begin(draft(), now_s=NOW_S)
    rollouts.courses.drop(GROUP, PACKAGE)

    again = rollouts.begin(draft(SECOND), now_s=NOW_S)

    assert (again.rollout.release, again.rollout.number) == (2, 2)


def test_an_abort_that_was_cut_short_before_it_was_signed_is_signed_by_the_next_look(
    rollouts: Rollouts,
) -> None:
    course = rollouts.begin(draft(), now_s=NOW_S)
    rollout = structs.replace(course.rollout, state="aborted", number=2)
    rollouts.courses.put(structs.replace(course, rollout=rollout))

    rollouts.go_on({}, now_s=NOW_S)

    assert rollouts.repository.rollout(GROUP, PACKAGE) == rollout
