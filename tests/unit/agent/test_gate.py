import pytest

from agent.core.gate import Calibration, GatePolicy, route
from agent.stages import Draft, Escalate, Keep

LINE = Calibration(((0.2, 0.1), (0.6, 0.5), (1.0, 0.9)))
CHANCES = {
    "below the first knot": (0.0, 0.1),
    "on a knot": (0.6, 0.5),
    "half way between two": (0.8, 0.7),
    "above the last knot": (1.0, 0.9),
}


def draft(*, score: float, out_of_scope: bool = False) -> Draft:
    return Draft("lights_on", score, "m 1", elapsed_ms=1.0, out_of_scope=out_of_scope)


@pytest.mark.parametrize(("score", "chance"), CHANCES.values(), ids=CHANCES)
def test_chance_lies_on_the_line_between_the_knots(score: float, chance: float) -> None:
    assert LINE.chance(score) == pytest.approx(chance)


def test_a_model_that_was_never_measured_is_never_trusted() -> None:
    assert Calibration(()).chance(1.0) == 0.0


def test_a_sure_draft_is_kept_with_its_calibrated_chance() -> None:
    kept = route(draft(score=1.0), LINE, GatePolicy(max_error=0.11))

    assert kept == Keep(draft(score=1.0), 0.9)


def test_a_draft_just_over_the_bound_is_escalated() -> None:
    match route(draft(score=1.0), LINE, GatePolicy(max_error=0.09)):
        case Escalate(confidence=confidence, reason=reason):
            assert (confidence, reason) == (0.9, "not sure enough")
        case Keep():
            pytest.fail("kept")


def test_an_out_of_scope_draft_is_escalated_however_sure_it_is() -> None:
    escalated = route(draft(score=1.0, out_of_scope=True), LINE, GatePolicy(max_error=1.0))

    assert isinstance(escalated, Escalate)
    assert escalated.confidence == 0.0
