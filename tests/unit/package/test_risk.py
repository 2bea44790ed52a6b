"""The risk table: what was wrong above each threshold, ties and out-of-scope rows included."""

import numpy as np
import pytest

from broker.package import scope
from broker.package.fit import Scored
from broker.package.risk import risk_table


def scored(score: list[float], right: list[int], asks: list[int] | None = None) -> Scored:
    return Scored(
        np.array(score),
        np.array(right, dtype=np.float64),
        np.array(asks or [0] * len(score), dtype=np.bool_),
    )


def test_rows_above_each_threshold_are_counted_and_the_row_at_it_is_not() -> None:
    table = risk_table(scored([0.2, 0.9, 0.5, 0.7], [0, 1, 0, 1]))

    assert table == [(0.7, 1, 0), (0.5, 2, 0), (0.2, 3, 1), (0.0, 4, 2)]


def test_equal_scores_are_kept_together_or_not_at_all() -> None:
    table = risk_table(scored([0.9, 0.5, 0.5, 0.5, 0.1], [1, 0, 1, 1, 0]))

    assert table == [(0.5, 1, 0), (0.1, 4, 1), (0.0, 5, 2)]


def test_what_the_model_calls_out_of_scope_is_in_no_step() -> None:
    table = risk_table(scored([0.9, 0.8, 0.7], [1, 0, 1], [0, 1, 0]))

    assert table == [(0.7, 1, 0), (0.0, 2, 0)]


def test_many_rows_make_a_step_for_each_percent_and_one_for_all() -> None:
    draw = np.random.default_rng(0)
    score = draw.random(5000)
    right = (draw.random(5000) < score).astype(np.float64)

    table = risk_table(Scored(score, right, np.zeros(5000, np.bool_)))

    assert len(table) == 101
    assert table[-1] == (0.0, 5000, int((right < 1).sum()))
    for threshold, kept, wrong in table:
        assert kept == int((score > threshold).sum())
        assert wrong == int((right[score > threshold] < 1).sum())


def test_no_rows_make_no_table() -> None:
    assert risk_table(scored([0.9], [1], [1])) == []


@pytest.mark.parametrize(
    ("chances", "found"),
    [([0.2, 0.3, 0.5], 0.625), ([0.4, 0.4, 0.2], 1 / 3), ([0.5, 0.5, 0.0], 0.0), ([0, 0, 1], 1.0)],
)
def test_out_of_scope_is_weighed_against_the_best_other(chances: list[float], found: float) -> None:
    assert scope.outside(np.array(chances, dtype=np.float32), 2) == pytest.approx(found)


def test_the_threshold_flags_at_most_three_of_a_hundred_in_scope() -> None:
    draw = np.random.default_rng(1)
    inside, outside = draw.beta(1, 9, 1000), draw.beta(5, 2, 100)
    rows = np.concatenate([inside, outside])
    is_outside = np.arange(1100) >= 1000

    threshold = scope.threshold(rows, is_outside)

    assert threshold is not None
    assert 0.025 <= (inside > threshold).mean() <= 0.03
    assert (outside > threshold).mean() > (outside > 0.5).mean()


def test_a_threshold_is_never_above_the_likeliest_label() -> None:
    rows, is_outside = np.array([0.9] * 99 + [0.95]), np.array([False] * 99 + [True])

    assert scope.threshold(rows, is_outside) == 0.5


@pytest.mark.parametrize(("inside", "outside"), [(100, 0), (20, 5), (0, 5)])
def test_too_little_data_fits_no_threshold(inside: int, outside: int) -> None:
    rows = np.linspace(0, 1, inside + outside)

    assert scope.threshold(rows, np.arange(inside + outside) >= inside) is None
