"""What a calibration promises, for people: the share of answers that a risk buys."""

from typing import Final

from broker.package.heads import Curve

RISKS: Final = (0.01, 0.02, 0.05, 0.10)  # shares of wrong answers that are told the price of


def answered(curve: Curve, risk: float) -> float:
    """The largest share of questions, in [0, 1], of whose answers at most `risk` are wrong."""
    return max((share for share, wrong in curve.risk_coverage if wrong <= risk), default=0.0)
