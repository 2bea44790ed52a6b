"""Releases to four boards: in waves, one of them failing its self-test; and one that is aborted."""

import time
from collections.abc import Iterator

import pytest

from broker.fleet.releases.waves import Standing, Waves
from firstline.rolling.following import bring
from tests.acceptance.boards import NAMES, WITHIN_S, Fleet, fleet_of, spoilt, until

pytestmark = [pytest.mark.broker, pytest.mark.acceptance, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet_of(tmp_path_factory.mktemp("site")) as made:
        yield made


def test_a_release_reaches_a_quarter_and_then_all_and_who_fails_goes_on_as_before(
    fleet: Fleet,
) -> None:
    good, bad = fleet.package("1.0.1", "good"), spoilt(fleet.package("1.0.1", "bad"))
    waves = Waves(percents=(25.0, 100.0), wait_s=0.0, success=0.7, patience_s=600.0)

    course = fleet.release((good, bad), waves, good={"score": 500.0})
    with fleet.waiting(course) as waiting:
        ended = waiting.ended.result(WITHIN_S)
        boards = {each.device: each for each in waiting.steward.boards(ended)}

    assert [name for name in NAMES if course.rollout.includes(name)] == ["board-1", "board-2"]
    assert [boards[name].standing for name in NAMES] == [Standing.DONE] * 3 + [Standing.FAILED]
    since_s = [progress.since_s for name in NAMES if (progress := boards[name].progress)]
    assert max(since_s[:2]) < ended.wave_began_s < min(since_s[2:])
    failed = boards["board-4"].progress
    assert failed is not None
    assert "golden questions otherwise" in failed.reason
    assert failed.running == ""
    deeds = [each.what for each in fleet.steward().rollouts.ledger.history().entries]
    assert deeds == ["release", "wave", "finish"]


def test_an_abort_stops_the_downloads_that_are_under_way(fleet: Fleet) -> None:
    everybody = Waves(percents=(100.0,))
    course = fleet.release((fleet.package("1.0.2", "next"),), everybody)
    fleet.publish_without_files(course)
    until(lambda: states(fleet) == ["downloading"] * 4)
    steward = fleet.steward()

    aborted = steward.rollouts.abort(course, "wrong weights", now_s=time.time())
    bring(steward, fleet.address())

    until(lambda: states(fleet) == ["stopped"] * 4)
    said = fleet.said(aborted)
    assert {progress.reason for progress in said.values() if progress} == {
        "the operator aborted it"
    }
    released = {choice.sha256 for choice in course.rollout.choices}
    assert not released & {progress.running for progress in said.values() if progress}


def states(fleet: Fleet) -> list[str]:
    course = fleet.steward().rollouts.courses.all()[0]
    return [progress.state if progress else "" for progress in fleet.said(course).values()]
