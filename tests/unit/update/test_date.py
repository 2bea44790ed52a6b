"""What time it is at least."""

import pytest

from agent.update.date import Date

DAY_S = 86_400.0
TRUE_S = 1_900_000_000.0
MADE_S = TRUE_S - 20 * DAY_S
SIGNED_S = TRUE_S - 2 * DAY_S


def date(clock_s: float, offset_s: float = 0.0) -> Date:
    return Date(MADE_S, lambda: clock_s, offset_s)


@pytest.mark.parametrize("slow_days", [3, 60, 4000])
def test_a_slow_clock_is_not_believed_below_what_was_signed(slow_days: int) -> None:
    assert date(TRUE_S - slow_days * DAY_S).at_least_s(SIGNED_S) == SIGNED_S


def test_a_board_that_saw_no_release_believes_no_time_before_its_keys() -> None:
    assert date(0.0).at_least_s(0.0) == MADE_S


def test_a_clock_that_is_right_is_believed() -> None:
    assert date(TRUE_S).at_least_s(SIGNED_S) == TRUE_S


def test_a_fast_clock_is_believed_until_a_worker_told_the_date() -> None:
    ahead_s = TRUE_S + 400 * DAY_S

    assert date(ahead_s).at_least_s(SIGNED_S) == ahead_s
    assert date(ahead_s, -400 * DAY_S).at_least_s(SIGNED_S) == TRUE_S


def test_a_workers_lie_sets_nothing_back_below_what_was_signed() -> None:
    assert date(TRUE_S, -4000 * DAY_S).at_least_s(SIGNED_S) == SIGNED_S
