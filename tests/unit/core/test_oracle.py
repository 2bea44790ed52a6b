"""The certified threshold is MAPIE's, which is no part of this project; `make oracle` brings it.

It is left out of the tests' own environment: with scikit-learn and scipy it weighs 300 MB.
"""

import random
from typing import Any

import pytest

from agent.core import bounds
from agent.core.bounds import Certified, Risks, Step, at_most, certify

control = pytest.importorskip("mapie.risk_control", reason="MAPIE is not installed: make oracle")
methods = pytest.importorskip("mapie.risk_control.methods")
np = pytest.importorskip("numpy")
stats = pytest.importorskip("scipy.stats")

ROWS = 1200


def drawn(seed: int) -> tuple[list[float], list[bool]]:
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    scores = [draw.random() for _ in range(ROWS)]
    return scores, [draw.random() > 0.5 * (1 - score) ** 2 for score in scores]


def table(scores: list[float], right: list[bool]) -> Risks:
    rows = sorted(zip(scores, right, strict=True), reverse=True)
    steps = []
    for rank in range(ROWS // 100, ROWS + 1, ROWS // 100):
        above = [ok for score, ok in rows if score > rows[rank - 1][0]]
        steps.append(Step(rows[rank - 1][0], len(above), above.count(False)))
    return Risks(tuple(steps), ROWS)


def our_starts(risks: Risks) -> Any:  # noqa: ANN401 - a class of MAPIE's
    """MAPIE's own procedure, from our starts; its own are evenly spaced."""

    class Starts(control.FWERFixedSequenceTesting):  # type: ignore[misc,name-defined]
        def _init_state(self, n_lambdas: int, delta: float) -> None:
            super()._init_state(n_lambdas, delta)
            self.start_positions = bounds._starts(risks)

    return Starts(n_starts=len(bounds._STARTS))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_our_chance_of_a_count_is_its_p_value(share: float) -> None:
    pairs = [(wrong, kept) for kept in (40, 300, 1200) for wrong in range(0, int(kept * share), 2)]
    rates = np.array([(wrong - 1e-9) / kept for wrong, kept in pairs]).clip(0)

    theirs = methods.compute_hoeffding_bentkus_p_value(
        rates, np.array([kept for _, kept in pairs]), share, binary=True
    )[:, 0]

    ours = [at_most(wrong, kept, share) for wrong, kept in pairs]
    assert ours == pytest.approx(list(theirs), rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_our_threshold_is_the_last_that_its_procedure_accepts(seed: int) -> None:
    risks = table(*drawn(seed))
    chances = stats.binom.cdf(
        [step.wrong for step in risks.steps], [step.kept for step in risks.steps], 0.05
    )

    accepted = control.control_fwer(chances, 0.1, our_starts(risks))

    found = certify(risks, 0.05, 0.9)
    assert isinstance(found, Certified) == bool(len(accepted))
    if isinstance(found, Certified):
        assert found.threshold == risks.steps[max(accepted)].score


@pytest.mark.filterwarnings("ignore:Fixed sequence testing requires")
@pytest.mark.parametrize("seed", range(20))
def test_its_controller_is_no_laxer(seed: int) -> None:
    """It is a little stricter: a share times its rows is rounded up, often by one row too many."""
    scores, right = drawn(seed)
    risks = table(scores, right)
    above = [float(np.nextafter(step.score, 2.0)) for step in risks.steps]  # it keeps what is equal
    controller = control.BinaryClassificationController(
        lambda x: np.stack([1 - x, x], axis=1),
        "precision",
        0.95,
        confidence_level=0.9,
        list_predict_params=np.array(above),
        fwer_method=our_starts(risks),
    )

    controller.calibrate(np.array(scores), np.array(right, dtype=int))

    found = certify(risks, 0.05, 0.9)
    assert isinstance(found, Certified)
    lowest = min(controller.valid_predict_params)
    assert found.threshold < lowest
    stricter = sum(step.score > found.threshold for step in risks.steps if step.score < lowest)
    assert stricter <= 10
