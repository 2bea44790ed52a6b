"""Bounds: a laxer one never asks more, a surer one never keeps more, whatever was measured."""

from hypothesis import given
from hypothesis import strategies as st

from agent.core.bounds import Certified, Infeasible, Risks, Step, at_most, certify

ERRORS = st.floats(0.0, 1.0)
CONFIDENCES = st.floats(0.5, 0.999)


@st.composite
def tables(draw: st.DrawFn) -> Risks:
    """Any table: scores falling, counts never, wrong ones among the kept."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=1, max_size=40))
    steps, kept, wrong = [], 0, 0
    for number, (more, share) in enumerate(sizes):
        kept, wrong = kept + more, wrong + round(more * share)
        steps.append(Step(1 - (number + 1) / (len(sizes) + 1), kept, wrong))
    return Risks(tuple(steps), kept + draw(st.integers(0, 50)))


def threshold(found: Certified | Infeasible) -> float:
    """What cannot be kept is a threshold above all."""
    return found.threshold if isinstance(found, Certified) else 1.0


@given(tables(), ERRORS, ERRORS, CONFIDENCES)
def test_a_laxer_bound_never_asks_more(
    risks: Risks, one: float, other: float, confidence: float
) -> None:
    strict, lax = (certify(risks, bound, confidence) for bound in sorted((one, other)))

    assert threshold(lax) <= threshold(strict)


@given(tables(), ERRORS, CONFIDENCES, CONFIDENCES)
def test_a_surer_bound_never_keeps_more(
    risks: Risks, bound: float, one: float, other: float
) -> None:
    unsure, sure = (certify(risks, bound, confidence) for confidence in sorted((one, other)))

    assert threshold(unsure) <= threshold(sure)


@given(tables(), ERRORS, CONFIDENCES)
def test_what_an_infeasible_bound_names_instead_is_feasible(
    risks: Risks, bound: float, confidence: float
) -> None:
    match certify(risks, bound, confidence):
        case Infeasible(best, kept) if kept:
            found = certify(risks, best, confidence)
            assert isinstance(found, Certified)
            assert best > bound
            assert found.kept == kept
        case Infeasible(best):
            assert best == 1.0
        case Certified(_, kept, wrong):
            assert 0.0 <= kept <= 1.0
            assert 0.0 <= wrong <= 1.0


@given(st.integers(0, 3000), st.integers(0, 3000), ERRORS, ERRORS)
def test_the_tail_falls_with_the_share_and_rises_with_the_count(
    one: int, other: int, low: float, high: float
) -> None:
    wrong, kept = sorted((one, other))
    low, high = sorted((low, high))

    assert at_most(wrong, kept, high) <= at_most(wrong, kept, low) + 1e-9
    assert 0.0 <= at_most(wrong, kept, low) <= at_most(wrong + 1, kept, low) + 1e-9
