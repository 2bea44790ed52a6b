"""Drift: told once, when more checked answers differ than the bound explains."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.drift import Checks, agreed, differed, from_number, judged, to_number


def after(outcomes: str, *, max_error: float = 0.05) -> list[Checks]:
    """The states after each outcome: + agreed, - differed."""
    states = [Checks()]
    for outcome in outcomes:
        note = agreed if outcome == "+" else differed
        states.append(judged(note(states[-1]), max_error))
    return states


def alarms(states: list[Checks]) -> int:
    return sum(now.alarmed and not before.alarmed for before, now in pairwise(states))


def test_what_the_bound_explains_is_no_alarm() -> None:
    assert alarms(after(("+" * 19 + "-") * 10)) == 0


def test_more_than_the_bound_explains_is_an_alarm_once() -> None:
    states = after("+" * 30 + "+-" * 30)

    assert alarms(states) == 1
    assert states[-1].alarmed


def test_an_episode_ends_when_no_more_differ_than_allowed_and_another_may_begin() -> None:
    states = after("+" * 20 + "-" * 10 + "+" * 60)
    assert not states[-1].alarmed

    again = after("+" * 20 + "-" * 10 + "+" * 60 + "-" * 10)

    assert alarms(again) == 2


def test_a_few_answers_show_nothing() -> None:
    assert alarms(after("-" * 9)) == 0
    assert alarms(after("-" * 10)) == 1


def test_the_last_fifty_count() -> None:
    last = after("-" * 60 + "+" * 49)[-1]

    assert (last.count, last.differed) == (50, 1)


@pytest.mark.parametrize("number", [0.0, 1e300, float(1 << 60)])
def test_a_number_that_is_none_of_ours_is_a_fresh_start(number: float) -> None:
    assert from_number(number) == Checks()


@given(st.text("+-", max_size=80))
def test_checks_outlive_a_restart(outcomes: str) -> None:
    checks = after(outcomes)[-1]

    assert from_number(to_number(checks)) == checks
    assert float(str(to_number(checks))) == to_number(checks)
