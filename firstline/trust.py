"""What a calibration promises, for people: what each bound costs, and what each share brings."""

from dataclasses import dataclass
from typing import Final

from agent.core.bounds import Certified, Infeasible, Risks, Step, certify, least_asked, smallest
from broker.package.heads import Curve, Head
from firstline.feasible import calibration_of

RISKS: Final = (0.01, 0.02, 0.03, 0.05, 0.10)  # shares of wrong answers that are told the price of
SHARES: Final = (0.05, 0.10, 0.15, 0.20, 0.30)  # of questions asked, that are told the worth of
CONFIDENCE: Final = 0.9  # where no settings say otherwise


@dataclass(frozen=True, slots=True)
class Price:
    """What a bound on error costs."""

    max_error: float
    feasible: bool
    kept: float  # share of questions that the device answers; if not feasible: at the best bound
    escalated: float
    wrong: float | None  # share of those kept that were wrong on the calibration's rows
    threshold: float | None  # scores above it are kept
    best: float | None  # if not feasible: the smallest bound that is
    least_asked: float  # share that must be asked if nothing is known of the scores


@dataclass(frozen=True, slots=True)
class Worth:
    """What a share of questions asked brings."""

    max_share: float
    wrong: float  # share of what is kept that was wrong on the calibration's rows
    at_most: float  # the same for questions to come, with the confidence


def price(risks: Risks, max_error: float, confidence: float) -> Price:
    """Tell what a bound costs."""
    found = certify(risks, max_error, confidence)
    return Price(
        max_error=max_error,
        feasible=isinstance(found, Certified),
        kept=round(found.kept, 4),
        escalated=round(1.0 - found.kept, 4),
        wrong=round(found.wrong, 4) if isinstance(found, Certified) else None,
        threshold=found.threshold if isinstance(found, Certified) else None,
        best=found.best if isinstance(found, Infeasible) and found.kept else None,
        least_asked=round(least_asked(risks, max_error), 4),
    )


def worth(risks: Risks, max_share: float, confidence: float) -> Worth:
    """Tell what a share brings: the least sure are asked, the rest is kept."""
    room = (1.0 - max_share) * risks.samples
    step = max(
        (step for step in risks.steps if step.kept <= room),
        key=lambda step: step.kept,
        default=Step(1.0, 0, 0),
    )
    if not step.kept:
        return Worth(max_share, 0.0, 0.0)
    most = smallest(step.wrong, step.kept, 1.0 - confidence)
    return Worth(max_share, round(step.wrong / step.kept, 4), round(most, 4))


def prices(head: Head) -> list[Price]:
    """What the usual bounds cost; nothing if the head has no risk table."""
    risks = calibration_of(head).risks
    return [price(risks, risk, CONFIDENCE) for risk in RISKS] if risks.steps else []


def price_line(each: Price) -> str:
    """One bound's cost in words."""
    if each.feasible:
        return f"max_error {each.max_error:.0%}: keeps {each.kept:.0%}, asks {each.escalated:.0%}"
    if each.best is None:
        return f"max_error {each.max_error:.0%}: cannot be certified, nor can any other bound"
    return f"max_error {each.max_error:.0%}: cannot be certified; the best is {each.best:.2%}"


def answered(curve: Curve, risk: float) -> float:
    """The largest share of questions, in [0, 1], of whose answers at most `risk` were wrong."""
    return max((share for share, wrong in curve.risk_coverage if wrong <= risk), default=0.0)
