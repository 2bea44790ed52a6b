"""An error bound is kept with the stated confidence, or refused with the best that can be."""

import random
from math import comb

import pytest

from agent.core.bounds import (
    EVERYTHING,
    NEVER_MEASURED,
    NOTHING,
    Certified,
    Infeasible,
    Risks,
    Step,
    at_most,
    certified_errors,
    certify,
    least_asked,
    smallest,
)


def evenly(rows: int, errors: dict[int, int], *, asks: int = 0) -> Risks:
    """A table of a hundred steps, whose n-th one has seen `errors[n]` more wrong answers."""
    steps, wrong = [], 0
    for n in range(1, 101):
        wrong += errors.get(n, 0)
        steps.append(Step(1 - n / 100, rows * n // 100, wrong))
    return Risks(tuple(steps), rows + asks)


@pytest.mark.parametrize(
    ("wrong", "kept", "share"),
    [(0, 59, 0.05), (3, 100, 0.05), (10, 100, 0.05), (90, 100, 0.9), (400, 1000, 0.3), (0, 1, 0.5)],
)
def test_the_tail_is_the_binomial_one(wrong: int, kept: int, share: float) -> None:
    exact = sum(comb(kept, n) * share**n * (1 - share) ** (kept - n) for n in range(wrong + 1))

    assert at_most(wrong, kept, share) == pytest.approx(exact, rel=1e-9)


def test_the_tail_of_what_cannot_be_and_of_what_must_be() -> None:
    assert at_most(5, 5, 0.5) == 1.0
    assert at_most(0, 0, 0.5) == 1.0
    assert at_most(0, 5, 0.0) == 1.0
    assert at_most(4, 5, 1.0) == 0.0
    assert at_most(5_000, 10_000, 0.01) == 1.0  # a term at the count itself would be 0
    assert at_most(10, 1_000_000, 0.5) == 0.0


def test_without_an_error_three_hundred_rows_show_one_percent() -> None:
    assert smallest(0, 299, 0.05) == pytest.approx(0.01, abs=5e-5)  # the rule of three


def test_the_lowest_threshold_that_passes_is_taken() -> None:
    risks = evenly(1000, dict.fromkeys(range(61, 101), 1))  # a tenth of these is wrong

    found = certify(risks, 0.02, 0.9)

    assert isinstance(found, Certified)
    step = next(step for step in risks.steps if step.score == found.threshold)
    assert (found.kept, found.wrong) == (step.kept / 1000, step.wrong / step.kept)
    after = risks.steps[risks.steps.index(step) + 1]
    assert at_most(step.wrong, step.kept, 0.02) <= 0.025 < at_most(after.wrong, after.kept, 0.02)


def test_an_early_mistake_among_the_surest_does_not_end_it() -> None:
    spoilt = evenly(1000, {1: 4})

    found = certify(spoilt, 0.02, 0.9)

    assert isinstance(found, Certified)
    assert found.kept == 1.0


def test_an_infeasible_bound_names_the_best_one_which_is_feasible() -> None:
    risks = evenly(1000, dict.fromkeys(range(1, 101), 2), asks=250)

    refused = certify(risks, 0.05, 0.9)

    assert isinstance(refused, Infeasible)
    best = certify(risks, refused.best, 0.9)
    assert isinstance(best, Certified)
    assert best.kept == refused.kept > 0.0
    assert isinstance(certify(risks, refused.best - 0.0002, 0.9), Infeasible)


def test_too_few_rows_certify_nothing_useful_and_say_so() -> None:
    few = Risks((Step(0.0, 2, 2),), 2)

    assert certify(few, 0.05, 0.9) == Infeasible(1.0, 0.0)
    assert certify(NEVER_MEASURED, 0.05, 0.9) == Infeasible(1.0, 0.0)


def test_bounds_of_zero_and_one_need_no_measurement() -> None:
    assert certify(NEVER_MEASURED, 0.0, 0.9) == Certified(NOTHING, 0.0, 0.0)
    found = certify(NEVER_MEASURED, 1.0, 0.9)
    assert isinstance(found, Certified)
    assert found.threshold == EVERYTHING
    assert certify(evenly(100, {}, asks=100), 1.0, 0.9) == Certified(EVERYTHING, 0.5, 0.0)


def test_certified_errors_are_the_bounds_at_which_each_step_is_first_kept() -> None:
    risks = evenly(1000, {40: 3, 70: 5, 90: 20})

    errors = certified_errors(risks, 0.9)

    assert errors == sorted(errors)
    for step, error in zip(risks.steps, errors, strict=True):
        for bound, is_kept in ((error + 1e-6, True), (error - 1e-6, False)):
            found = certify(risks, bound, 0.9)
            kept = found.kept * 1000 if isinstance(found, Certified) else 0
            assert (kept >= step.kept) == is_kept


def test_what_must_be_asked_in_any_case() -> None:
    risks = evenly(1000, {100: 208})

    assert least_asked(risks, 0.03) == pytest.approx(0.1835, abs=1e-4)  # arXiv 2606.29054
    assert least_asked(risks, 0.3) == least_asked(risks, 1.0) == 0.0
    assert least_asked(NEVER_MEASURED, 0.05) == 0.0


@pytest.mark.parametrize("bound", [0.02, 0.05, 0.1])
def test_over_many_calibrations_the_true_error_breaks_the_bound_as_seldom_as_stated(
    bound: float,
) -> None:
    """Scores are even in [0, 1], and wrong with chance 0.4 (1 - score)^2: risk is known exactly."""
    broken = infeasible = 0
    for seed in range(200):
        found = certify(drawn(random.Random(seed), rows=500), bound, 0.9)  # noqa: S311
        if isinstance(found, Infeasible):
            infeasible += 1
            continue
        left = 1 - found.threshold
        broken += 0.4 * left**2 / 3 > bound

    assert broken <= 0.1 * 200
    assert infeasible < 100 or bound < 0.05


def drawn(draw: random.Random, rows: int) -> Risks:
    """The risk table of a fresh calibration."""
    scores = sorted((draw.random() for _ in range(rows)), reverse=True)
    wrong = [draw.random() < 0.4 * (1 - score) ** 2 for score in scores]
    steps = [
        Step(scores[rank - 1], rank - 1, sum(wrong[: rank - 1]))
        for rank in range(rows // 100, rows, rows // 100)
    ]
    return Risks((*steps, Step(0.0, rows, sum(wrong))), rows)
