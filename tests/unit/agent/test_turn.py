"""Whose turn it is to take a release, and when it is nobody's."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from agent.update.turn import Go, Have, Hold, Moment, Over, pick, trial, turn
from broker.wire.release import Choice, Rollout, place

SALT = "0123456789abcdef"
NIGHT, NOON, MIDNIGHT = (22 * 60, 5 * 60), 12 * 60, 0
BOARD = Moment("board-1", now_s=1000.0, minute=NOON, on_battery=False, metered=False)
ALL = Rollout(
    number=1,
    choices=(Choice(path="demo/1.0.0/q8.json", sha256="0" * 64),),
    state="running",
    salt=SALT,
    percent=100.0,
)
FLEET = [f"board-{number}" for number in range(2000)]


def rollout(**changes: Any) -> Rollout:  # noqa: ANN401 - any field
    return structs.replace(ALL, **changes)


@pytest.mark.parametrize(
    ("changes", "board", "expected"),
    [
        ({}, BOARD, Go()),
        ({"state": "aborted"}, BOARD, Over("the operator aborted it")),
        ({"state": "aborted", "percent": 0}, BOARD, Over("the operator aborted it")),
        ({"state": "paused"}, BOARD, Hold("the operator paused it")),
        ({"percent": 0.0}, BOARD, Hold("not among the first 0 %")),
        ({"percent": 0.0, "devices": ("board-1",)}, BOARD, Go()),
        ({"percent": 0.0, "devices": ("board-2",)}, BOARD, Hold("not among the first 0 %")),
        ({"not_before_s": 1000.5}, BOARD, Hold("its time has not come")),
        ({"not_before_s": 1000.0}, BOARD, Go()),
        ({"deadline_s": 1000.0}, BOARD, Over("its deadline has passed")),
        ({"deadline_s": 1000.5}, BOARD, Go()),
        ({"hours": NIGHT}, BOARD, Hold("only between 22:00 and 05:00")),
        ({"hours": NIGHT}, replace(BOARD, minute=MIDNIGHT), Go()),
        ({"hours": NIGHT}, replace(BOARD, minute=22 * 60), Go()),
        ({"hours": NIGHT}, replace(BOARD, minute=5 * 60), Hold("only between 22:00 and 05:00")),
        ({"hours": (NOON, NOON + 1)}, BOARD, Go()),
        ({"hours": (NOON + 1, NOON + 2)}, BOARD, Hold("only between 12:01 and 12:02")),
        ({"hours": (0, 0)}, BOARD, Go()),
        ({"on_battery": False}, replace(BOARD, on_battery=True), Hold("on battery")),
        ({"on_battery": False}, BOARD, Go()),
        ({}, replace(BOARD, on_battery=True, metered=True), Go()),
        ({"on_metered": False}, replace(BOARD, metered=True), Hold("on a metered link")),
    ],
)
def test_every_rule_is_kept_until_the_switch(
    changes: dict[str, Any], board: Moment, expected: object
) -> None:
    assert turn(rollout(**changes), board) == expected


def test_after_the_switch_only_an_abort_counts() -> None:
    late = rollout(state="paused", percent=0.0, deadline_s=1.0, hours=NIGHT)

    assert trial(late) == Go()
    assert trial(structs.replace(late, state="aborted")) == Over("the operator aborted it")


@given(st.text(min_size=1), st.floats(0, 100), st.floats(0, 100))
def test_a_higher_percentage_takes_nobodys_turn_away(
    device: str, first: float, second: float
) -> None:
    low, high = sorted((first, second))

    assert rollout(percent=high).includes(device) or not rollout(percent=low).includes(device)


@given(st.text())
def test_a_hundred_per_cent_are_all_and_none_are_none(device: str) -> None:
    assert rollout(percent=100.0).includes(device)
    assert not rollout(percent=0.0).includes(device)
    assert 0.0 <= place(SALT, device) < 100.0
    assert not rollout(percent=place(SALT, device)).includes(device)


@pytest.mark.parametrize("percent", [1.0, 10.0, 50.0])
def test_a_percentage_is_that_share_of_a_fleet(percent: float) -> None:
    share = sum(rollout(percent=percent).includes(device) for device in FLEET) / len(FLEET)

    assert share == pytest.approx(percent / 100, abs=0.03)


def test_another_salt_begins_with_other_boards() -> None:
    other = hashlib.sha256(b"other").hexdigest()
    first = {device for device in FLEET if rollout(percent=10.0).includes(device)}
    second = {device for device in FLEET if rollout(percent=10.0, salt=other).includes(device)}

    assert len(first & second) < len(first) / 2


def test_the_operators_latest_word_counts_whatever_the_group() -> None:
    offers = {"all": rollout(release=6), "canary": rollout(release=5)}

    picked = pick(offers, BOARD, taken=5)

    assert picked is not None
    assert (picked.group, picked.turn) == ("all", Go())


@pytest.mark.parametrize(
    "latest",
    [{"percent": 0.0}, {"state": "aborted"}, {"deadline_s": 1.0}],
)
def test_a_release_that_is_not_for_this_board_leaves_it_with_the_one_before(
    latest: dict[str, Any],
) -> None:
    offers = {"all": rollout(release=6, **latest), "canary": rollout(release=5)}

    fresh = pick(offers, BOARD, taken=0)
    settled = pick(offers, BOARD, taken=5)

    assert fresh is not None
    assert settled is not None
    assert (fresh.group, fresh.turn) == ("canary", Go())
    assert (settled.group, settled.turn) == ("canary", Have())


def test_a_release_that_only_waits_is_not_passed_over() -> None:
    offers = {"all": rollout(release=6, hours=NIGHT), "canary": rollout(release=5)}

    picked = pick(offers, BOARD, taken=4)

    assert picked is not None
    assert picked.turn == Hold("only between 22:00 and 05:00")


def test_a_board_never_goes_back_to_a_earlier_release() -> None:
    aborted = {"all": rollout(release=6, state="aborted"), "canary": rollout(release=5)}

    picked = pick(aborted, BOARD, taken=6)

    assert picked is not None
    assert (picked.group, picked.turn) == ("all", Have())
    assert pick({"canary": rollout(release=5)}, BOARD, taken=6) is None
    assert pick({}, BOARD, taken=0) is None


def test_a_board_that_has_no_turn_is_told_of_the_latest_release() -> None:
    offers = {"all": rollout(release=6, percent=0.0), "canary": rollout(release=5, state="aborted")}

    picked = pick(offers, BOARD, taken=0)

    assert picked is not None
    assert (picked.rollout.release, picked.turn) == (6, Hold("not among the first 0 %"))
