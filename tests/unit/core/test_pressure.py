"""The rule by which a hot board works less and a costly link is used less."""

import pytest

from agent.core.gate import GatePolicy
from agent.core.pressure import (
    Conditions,
    Frugality,
    Measures,
    gate_under,
    measures,
    threads_under,
    wait_under,
)

POLICY = GatePolicy(max_error=0.02, explore=0.01)
HOT, COSTLY, CALM = Measures(hot=True), Measures(costly=True), Measures()


@pytest.mark.parametrize(
    ("before", "temperature_c", "hot"),
    [(CALM, 79.9, False), (CALM, 80.0, True), (HOT, 75.0, True), (HOT, 74.9, False)],
)
def test_a_board_is_hot_from_its_limit_on_until_it_is_cooler(
    before: Measures, temperature_c: float, *, hot: bool
) -> None:
    now = Conditions(temperature_c=temperature_c)

    assert measures(now, before, throttle_c=80.0) == Measures(hot=hot)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Conditions(), CALM),
        (Conditions(slowed=True, temperature_c=20.0), HOT),
        (Conditions(on_battery=True), COSTLY),
        (Conditions(metered=True, charge=1.0), COSTLY),
        (Conditions(charge=0.1), CALM),  # it is being charged
    ],
)
def test_what_is_done_follows_from_how_the_board_fares(now: Conditions, expected: Measures) -> None:
    assert measures(now, CALM, throttle_c=80.0) == expected


@pytest.mark.parametrize(("threads", "when_hot"), [(1, 1), (2, 1), (3, 1), (4, 2)])
def test_a_hot_board_works_with_half_the_threads(threads: int, when_hot: int) -> None:
    assert threads_under(HOT, threads) == when_hot
    assert threads_under(COSTLY, threads) == threads


@pytest.mark.parametrize(
    ("own", "frugal", "expected"),
    [(None, 0.1, 0.1), (0.05, 0.1, 0.05), (0.2, 0.1, 0.1), (0.2, None, 0.2), (None, None, None)],
)
def test_the_smaller_share_holds_while_asking_is_costly(
    own: float | None, frugal: float | None, expected: float | None
) -> None:
    policy = GatePolicy(max_error=0.02, max_share=own, explore=0.01)

    found = gate_under(COSTLY, policy, Frugality(share=frugal, wait_s=5.0))

    assert found == GatePolicy(max_error=0.02, max_share=expected, explore=0.0)


def test_a_task_that_says_nothing_asks_as_ever() -> None:
    assert gate_under(COSTLY, POLICY, Frugality()) is POLICY
    assert wait_under(COSTLY, Frugality()) == 0.0


def test_nothing_is_spared_while_asking_costs_nothing() -> None:
    frugal = Frugality(share=0.0, wait_s=5.0)

    assert gate_under(HOT, POLICY, frugal) is POLICY
    assert wait_under(HOT, frugal) == 0.0
    assert wait_under(COSTLY, frugal) == 5.0
