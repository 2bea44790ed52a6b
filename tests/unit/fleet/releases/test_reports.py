"""What devices said of their updates: nobody else's word, and no older one, moves a rollout."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from broker.fleet.errors import NotAFleetError
from broker.fleet.releases.reports import FILE, FORGED, OLDER, Reports
from broker.fleet.releases.standings import boards_of
from broker.fleet.releases.waves import Standing
from broker.wire.roster import Enrolled, Roster
from broker.wire.update_report import Progress, UpdateReport
from tests.unit.fleet.releases.boards import (
    KEYS,
    NAMES,
    OTHER_PLAN,
    PLAN,
    ROLLOUT,
    ROSTER,
    progress,
    report,
    sealed,
)

DONE, FAILED, STOPPED, WORKING, WAITING, SILENT = Standing
ONE, TWO = NAMES[:2]
EIGHT = range(1, 9)


def standings(
    *reports: UpdateReport, group: str = "all", roster: Roster = ROSTER
) -> dict[str, Standing]:
    known = {each.device: each for each in reports}
    found = boards_of(ROLLOUT, group=group, package="demo", roster=roster, reports=known)
    return {each.device: each.standing for each in found}


def test_a_report_is_taken_once_and_the_latest_counts(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    first = report(ONE, progress("watching"), order=(1, 9))
    later = report(ONE, progress("done"), order=(2, 1))

    taken = [reports.take(*sealed(each), ROSTER) for each in (first, first, later)]

    assert taken == [first, None, later]
    assert reports.latest == {ONE: later}
    assert not reports.counters.total()


def test_a_forged_done_moves_nothing(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    topic, wire = sealed(report(ONE, progress("done")))
    forged = [
        sealed(report(ONE, progress("done")), KEYS[TWO]),
        (topic, sealed(report(TWO, progress("done")))[1]),
        (topic, wire.replace(b"done", b"idle")),
        (topic.replace(ONE, "stranger"), wire),
        (topic, b"{}"),
    ]

    taken = [reports.take(*each, ROSTER) for each in forged]

    assert taken == [None] * len(forged)
    assert reports.counters == {FORGED: len(forged)}
    assert standings(*reports.latest.values())[ONE] is SILENT


def test_an_older_report_brought_back_is_not_taken_after_a_restart_either(tmp_path: Path) -> None:
    done = report(ONE, progress("done"), order=(1, 1))
    back = report(ONE, progress("failed"), order=(1, 2))
    reports = Reports(tmp_path)
    reports.take(*sealed(back), ROSTER)
    reports.keep()

    again = Reports(tmp_path)
    taken = again.take(*sealed(done), ROSTER)

    assert taken is None
    assert again.counters == {OLDER: 1}
    assert again.latest == {ONE: back}


@given(st.lists(st.integers(0, 7), max_size=12), st.integers(0, 12))
def test_whatever_is_lost_repeated_or_late_the_latest_that_came_counts(
    came: list[int], at: int
) -> None:
    told = [report(ONE, progress("downloading", share=n / 8), order=(1 + n // 4, n)) for n in EIGHT]
    came.insert(at, 7)  # the broker keeps the last one, so it comes in the end, if nothing else
    with TemporaryDirectory() as folder:
        reports = Reports(Path(folder))

        for number in came:
            reports.take(*sealed(told[number]), ROSTER)

    assert reports.latest == {ONE: told[7]}


@pytest.mark.parametrize("topic", ["fl/v1/home/dev/board-1/state", "x"])
def test_what_is_no_report_is_passed_over(tmp_path: Path, topic: str) -> None:
    reports = Reports(tmp_path)

    assert reports.take(topic, b"x", ROSTER) is None
    assert reports.take(sealed(report(ONE))[0], b"", ROSTER) is None
    assert not reports.counters.total()


def test_a_damaged_file_of_reports_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"x")

    with pytest.raises(NotAFleetError, match="Delete it"):
        Reports(tmp_path)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (progress("done"), DONE),
        (progress("done", digest=OTHER_PLAN, running=OTHER_PLAN), FAILED),
        (progress("done", running=""), FAILED),
        (progress("done", release=2), WAITING),
        (progress("failed"), FAILED),
        (progress("failed", release=2), WAITING),
        (progress("stopped"), STOPPED),
        (progress("downloading"), WORKING),
        (progress("testing"), WORKING),
        (progress("watching", running=PLAN), WORKING),
        (progress("waiting"), WAITING),
        (progress("idle", release=0), WAITING),
    ],
)
def test_done_is_only_who_runs_what_was_released(told: Progress, expected: Standing) -> None:
    assert standings(report(ONE, told))[ONE] is expected


def test_a_release_concerns_who_is_in_the_group_and_has_the_package() -> None:
    said = (
        report(ONE, progress("done"), groups=("all", "kitchen")),
        report(TWO, progress("done"), groups=("kitchen",)),
        report(NAMES[2], progress("done", package="other")),
        report(NAMES[3], progress("done", release=4)),
    )

    everybody, kitchen = standings(*said), standings(*said, group="kitchen")

    assert set(everybody) == {ONE, *NAMES[4:]}
    assert kitchen == {ONE: DONE, TWO: DONE}


def test_a_revoked_device_does_not_count() -> None:
    keys = ROSTER.devices[ONE].keys
    gone = structs.replace(
        ROSTER, devices={**ROSTER.devices, ONE: Enrolled(keys=keys, revoked=True)}
    )

    assert ONE not in standings(report(ONE, progress("failed")), roster=gone)


def test_a_board_that_comes_later_stands_behind_the_same_gate() -> None:
    tenth = structs.replace(ROLLOUT, percent=10.0)
    late = {f"late-{number}": Enrolled(keys=("0" * 64,)) for number in range(500)}
    roster = structs.replace(ROSTER, devices=late)

    found = boards_of(tenth, group="all", package="demo", roster=roster, reports={})

    assert 20 <= sum(each.turn for each in found) <= 85
    assert [each.turn for each in found] == [tenth.includes(each.device) for each in found]
