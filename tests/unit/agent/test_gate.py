"""What becomes of a draft: kept, asked, asked to learn, or withheld since the budget is spent."""

from dataclasses import replace

import pytest

from agent.core.bounds import Certified, Risks, Step, certify
from agent.core.budget import Budget
from agent.core.gate import (
    LEAST_SURE,
    NO_BOUND,
    OUTSIDE,
    UNSURE,
    Calibration,
    GatePolicy,
    route,
)
from agent.stages import Draft, Escalate, Explore, Keep, Withhold

LINE = ((0.2, 0.1), (0.6, 0.5), (1.0, 0.9))
# A thousand rows with scores evenly from 0 to 1, and one in a hundred of them called out of scope;
# above 0.5 hardly any is wrong, below most are.
ROWS = Risks(
    tuple(Step(1 - n / 100, 990 * n // 100, max(0, 990 * (n - 50) // 100)) for n in range(1, 101)),
    samples=1000,
)
TRUST = Calibration(LINE, ROWS)
NEVER = Calibration(())
CHANCES = {
    "below the first knot": (0.0, 0.1),
    "on a knot": (0.6, 0.5),
    "half way between two": (0.8, 0.7),
    "above the last knot": (1.0, 0.9),
}
ROOM, NO_ROOM = Budget(0.15, 10.0), Budget(0.15, 0.0)
SHARE = GatePolicy(None, max_share=0.15)
BOTH = GatePolicy(0.05, max_share=0.15)
MOST_UNLUCKY = 0.999  # of lots: never explored


def draft(score: float, *, out_of_scope: bool = False) -> Draft:
    return Draft("lights_on", score, "m 1", elapsed_ms=1.0, out_of_scope=out_of_scope)


def least_kept() -> float:
    found = certify(ROWS, 0.05, 0.9)
    assert isinstance(found, Certified)
    return found.threshold


@pytest.mark.parametrize(("score", "chance"), CHANCES.values(), ids=CHANCES)
def test_chance_lies_on_the_line_between_the_knots(score: float, chance: float) -> None:
    assert TRUST.chance(score) == pytest.approx(chance)


def test_a_model_that_was_never_measured_is_never_trusted() -> None:
    assert NEVER.chance(1.0) == 0.0
    for policy in (GatePolicy(0.99), GatePolicy(None)):
        assert route(draft(1.0), NEVER, policy, None, lot=0.0) == Escalate(draft(1.0), 0.0, UNSURE)


def test_a_calibration_without_a_risk_table_keeps_nothing() -> None:
    old = Calibration(LINE)

    assert route(draft(1.0), old, GatePolicy(0.5), None, lot=1.0) == Escalate(
        draft(1.0), 0.9, UNSURE
    )


def test_what_scores_above_the_certified_threshold_is_kept_with_its_calibrated_chance() -> None:
    policy = GatePolicy(max_error=0.05)
    over, at = least_kept() + 0.001, least_kept()

    kept = route(draft(over), TRUST, policy, None, MOST_UNLUCKY)
    asked = route(draft(at), TRUST, policy, None, MOST_UNLUCKY)

    assert kept == Keep(draft(over), TRUST.chance(over))
    assert asked == Escalate(draft(at), TRUST.chance(at), UNSURE)


def test_a_bound_that_cannot_be_kept_asks_every_question() -> None:
    decision = route(draft(1.0), TRUST, GatePolicy(0.001), None, MOST_UNLUCKY)

    assert decision == Escalate(draft(1.0), 0.9, NO_BOUND)


@pytest.mark.parametrize(("bound", "kind"), [(0.0, Escalate), (1.0, Keep)])
def test_a_bound_of_zero_asks_all_and_one_of_one_nothing(bound: float, kind: type) -> None:
    for score in (0.0, 0.5, 1.0):
        for trust in (TRUST, NEVER):
            assert isinstance(route(draft(score), trust, GatePolicy(bound), None, 1.0), kind)


@pytest.mark.parametrize("policy", [GatePolicy(1.0), GatePolicy(0.05), SHARE, BOTH])
def test_an_out_of_scope_draft_is_escalated_however_sure_it_is(policy: GatePolicy) -> None:
    outside = draft(1.0, out_of_scope=True)
    budget = None if policy.max_share is None else ROOM

    assert route(outside, TRUST, policy, budget, 0.0) == Escalate(outside, 0.0, OUTSIDE)


@pytest.mark.parametrize("policy", [SHARE, BOTH])
def test_an_out_of_scope_draft_is_withheld_when_the_budget_is_spent(policy: GatePolicy) -> None:
    outside = draft(1.0, out_of_scope=True)

    for budget in (NO_ROOM, Budget(-0.01, 10.0)):
        assert route(outside, TRUST, policy, budget, 0.0) == Withhold(outside, 0.0, OUTSIDE)


def test_a_share_asks_the_least_sure_and_keeps_the_rest() -> None:
    # 1 % is called out of scope, so the least sure 15 % score at most 0.141
    low, high = draft(0.14), draft(0.143)

    assert route(low, TRUST, SHARE, ROOM, MOST_UNLUCKY) == Escalate(low, 0.1, LEAST_SURE)
    assert route(high, TRUST, SHARE, ROOM, MOST_UNLUCKY) == Keep(high, 0.1)


def test_a_share_alone_keeps_what_the_bucket_refuses() -> None:
    assert route(draft(0.1), TRUST, SHARE, NO_ROOM, 0.0) == Keep(draft(0.1), 0.1)


def test_what_the_error_bound_wants_asked_is_withheld_when_the_budget_refuses() -> None:
    unsure = draft(0.1)

    assert route(unsure, TRUST, BOTH, ROOM, 0.0) == Escalate(unsure, 0.1, UNSURE)
    assert route(unsure, TRUST, BOTH, NO_ROOM, 0.0) == Withhold(unsure, 0.1, UNSURE)


def test_under_a_budget_too_small_for_the_error_bound_the_least_sure_are_asked() -> None:
    surer = draft(0.3)  # not sure enough, but deeper than the level

    assert route(surer, TRUST, BOTH, ROOM, 0.0) == Withhold(surer, TRUST.chance(0.3), UNSURE)


def test_a_kept_draft_is_explored_by_lot_and_within_the_budget() -> None:
    sure = draft(1.0)
    explore = replace(BOTH, explore=0.01)

    assert route(sure, TRUST, explore, ROOM, lot=0.0099) == Explore(sure, 0.9)
    assert route(sure, TRUST, explore, ROOM, lot=0.01) == Keep(sure, 0.9)
    assert route(sure, TRUST, explore, NO_ROOM, lot=0.0) == Keep(sure, 0.9)
    assert route(sure, TRUST, GatePolicy(0.05, explore=0.01), None, lot=0.0) == Explore(sure, 0.9)
    assert route(sure, TRUST, GatePolicy(1.0, explore=0.01), None, lot=0.0) == Keep(sure, 0.9)


def test_depth_is_the_share_of_rows_that_are_less_sure() -> None:
    assert TRUST.depth(1.0) == 1.0
    assert TRUST.depth(0.5) == pytest.approx(1 - 0.495)
    assert TRUST.depth(0.0) == pytest.approx(0.01)  # those that the model calls out of scope
    assert TRUST.depth(0.505) == pytest.approx(1 - (485 + 10 * 0.5) / 1000)
    assert NEVER.depth(0.9) == 0.0
