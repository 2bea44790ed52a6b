"""Whatever the scores are: a curve that a gate can use."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.package.curves import MAX_KNOTS
from broker.package.fit import METHODS, Scored, best

SCORES = st.one_of(st.floats(0.0, 1.0, width=32), st.sampled_from([0.0, 0.5, 0.99999, 1.0]))
CASES = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=80)


@pytest.mark.parametrize("method", METHODS)
@given(cases=CASES, copies=st.sampled_from([1, 15, 40]))
def test_knots_rise_and_chances_never_fall(
    method: str, cases: list[tuple[float, bool]], copies: int
) -> None:
    score, right = np.array(cases, dtype=np.float64).repeat(copies, axis=0).T

    knots = METHODS[method](score, right)

    assert 1 <= len(knots) <= MAX_KNOTS
    assert all(low < high and p <= q for (low, p), (high, q) in pairwise(knots))
    assert all(0.0 <= s <= 1.0 for s, _ in knots)
    assert all(0.0 < p < 1.0 for _, p in knots)


@given(cases=CASES)
def test_every_figure_of_a_fit_is_a_number_in_its_range(cases: list[tuple[float, bool]]) -> None:
    score, right = np.array(cases, dtype=np.float64).T

    for each in best(Scored(score, right, np.zeros(len(score), dtype=np.bool_))):
        assert 0.0 <= each.log_loss < 15.0
        assert 0.0 <= each.brier <= 1.0
        assert 0.0 <= each.ece <= 1.0
