"""Scores and right answers to a curve: small tables, worked out by hand."""

import numpy as np
import pytest

from broker.package.curves import MAX_KNOTS
from broker.package.fit import METHODS, Floats, Scored, best, fit, isotonic, logistic, risk_coverage


def alike(score: float, *, right: int, wrong: int) -> tuple[list[float], list[float]]:
    return [score] * (right + wrong), [1.0] * right + [0.0] * wrong


def joined(*groups: tuple[list[float], list[float]]) -> tuple[Floats, Floats]:
    return np.array([s for g in groups for s in g[0]]), np.array([r for g in groups for r in g[1]])


def of_all(score: Floats, right: Floats) -> Scored:
    return Scored(score, right, np.zeros(len(score), dtype=np.bool_))


def drawn(count: int, *, power: float) -> Scored:
    """Cases whose chance of being right is score ** power."""
    random = np.random.default_rng(7)
    score = random.uniform(0.3, 1.0, count)
    return of_all(score, (random.random(count) < score**power).astype(np.float64))


def test_isotonic_gives_each_block_its_share_of_right_answers_under_the_prior() -> None:
    score, right = joined(alike(0.2, right=3, wrong=12), alike(0.9, right=14, wrong=1))

    assert isotonic(score, right) == [(0.2, 3.5 / 16), (0.9, 14.5 / 16)]


def test_isotonic_pools_a_block_that_falls() -> None:
    low, high = alike(0.2, right=14, wrong=1), alike(0.8, right=3, wrong=12)

    assert isotonic(*joined(low, high)) == [(0.5, 17.5 / 31)]


def test_isotonic_still_rises_where_blocks_were_joined_down_to_the_limit() -> None:
    # 14 of 15 and 28 of 30 are the smallest neighbours. Joined, the prior weighs less, and they
    # pass the 97 of 105 behind them: 42.5 / 46 > 97.5 / 106.
    blocks = [*((45, hits) for hits in range(39)), (15, 14), (30, 28), (105, 97)]
    right = np.concatenate([[1.0] * hits + [0.0] * (size - hits) for size, hits in blocks])

    chances = [chance for _, chance in isotonic(np.linspace(0.1, 0.9, len(right)), right)]

    assert len(chances) == MAX_KNOTS
    assert chances == sorted(chances)
    assert chances[-1] == (14 + 28 + 97 + 0.5) / (150 + 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 1.0], ids=["all wrong", "all right"])
def test_cases_without_a_difference_promise_no_certainty(method: str, value: float) -> None:
    score = np.linspace(0.1, 1.0, 50)

    knots = METHODS[method](score, np.full(50, value))

    assert all(0.5 / 51 <= chance <= 50.5 / 51 for _, chance in knots)
    assert abs(knots[-1][1] - value) < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_nothing_known_is_one_half(method: str) -> None:
    assert METHODS[method](np.array([]), np.array([])) == [(0.0, 0.5)]


def test_logistic_finds_the_line_that_made_the_cases() -> None:
    random = np.random.default_rng(0)
    logit = random.normal(0.5, 1.5, 40_000)
    score = 1 / (1 + np.exp(-logit))
    truth = 1 / (1 + np.exp(-(0.5 * logit + 1.0)))
    right = (random.random(len(logit)) < truth).astype(np.float64)

    knots = logistic(score, right)

    gap = np.abs(np.interp(score, *np.array(knots).T) - truth)
    assert len(knots) == MAX_KNOTS
    assert gap.max() < 0.03
    assert gap.mean() < 0.008


def test_logistic_is_flat_where_surer_scores_are_more_often_wrong() -> None:
    score, right = joined(alike(0.2, right=40, wrong=10), alike(0.9, right=10, wrong=40))

    chances = {round(chance, 6) for _, chance in logistic(score, right)}

    assert chances == {0.5}


def test_logistic_is_no_surer_than_its_sample_allows_where_the_cases_part() -> None:
    score, right = joined(alike(0.1, right=0, wrong=100), alike(0.999, right=100, wrong=0))

    knots = logistic(score, right)

    assert knots[0][1] >= 0.5 / 201
    assert knots[-1][1] <= 200.5 / 201


def test_logistic_takes_scores_that_are_all_the_same() -> None:
    (knot,) = logistic(*joined(alike(1.0, right=3, wrong=1)))

    assert knot == pytest.approx((1.0, (3 * 3.5 / 4 + 0.5 / 2) / 4))


def test_the_method_with_the_smaller_loss_on_held_out_cases_is_first() -> None:
    steps = joined(
        alike(0.3, right=50, wrong=450),
        alike(0.5, right=450, wrong=50),
        alike(0.99, right=460, wrong=40),
    )

    found = best(of_all(*steps))

    assert [each.method for each in found] == ["isotonic", "logistic"]
    assert found[0].log_loss < found[1].log_loss
    assert [each.method for each in best(drawn(1000, power=3.0))] == ["logistic", "isotonic"]


def test_cases_are_judged_by_fits_that_did_not_see_them() -> None:
    random = np.random.default_rng(1)
    noise = of_all(random.random(60), (random.random(60) < 0.5).astype(np.float64))

    found = fit("isotonic", noise)

    seen = np.interp(noise.score, *np.array(found.knots).T)
    own_brier = float(((seen - noise.right) ** 2).mean())
    assert found.brier > own_brier


def test_what_the_model_asks_does_not_shape_the_curve() -> None:
    cases = drawn(300, power=2.0)
    more = Scored(
        np.append(cases.score, [0.99] * 50),
        np.append(cases.right, [0.0] * 50),
        np.append(cases.asks, [True] * 50),
    )

    assert fit("isotonic", more) == fit("isotonic", cases)


def test_the_risk_of_each_share_counts_the_surest_first() -> None:
    cases = Scored(
        np.array([0.9, 0.8, 0.7, 0.99]),
        np.array([1.0, 0.0, 1.0, 0.0]),
        np.array([False, False, False, True]),
    )

    assert risk_coverage(cases) == [[0.25, 0.0], [0.5, 0.5], [0.75, 0.3333]]
