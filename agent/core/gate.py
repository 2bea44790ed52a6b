"""Draft -> Keep | Escalate: trust the local model, or ask.

A model's own score is not the chance that it is right. A calibration, fitted on the very file
that runs, turns one into the other; the operator bounds the error, never the score.
"""

from bisect import bisect_right
from dataclasses import dataclass

from agent.stages import Draft, Escalate, Keep


@dataclass(frozen=True, slots=True)
class Calibration:
    """Score -> chance of being right, piecewise linear and never falling."""

    knots: tuple[tuple[float, float], ...]  # (score, chance), both in [0, 1], scores rising

    def chance(self, score: float) -> float:
        """The calibrated chance, in [0, 1], that an answer of this score is right."""
        if not self.knots:
            return 0.0  # never measured: never trusted
        right = bisect_right(self.knots, score, key=lambda knot: knot[0])
        if right == 0:
            return self.knots[0][1]
        if right == len(self.knots):
            return self.knots[-1][1]
        (low, low_chance), (high, high_chance) = self.knots[right - 1 : right + 1]
        return low_chance + (high_chance - low_chance) * (score - low) / (high - low)


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What the operator accepts."""

    max_error: float  # in [0, 1]: an answer with a higher chance of being wrong is escalated


def route(draft: Draft, calibration: Calibration, policy: GatePolicy) -> Keep | Escalate:
    """Keep the draft if its chance of being wrong is within the operator's bound."""
    if draft.out_of_scope:
        return Escalate(draft, confidence=0.0, reason="outside what the local model knows")
    chance = calibration.chance(draft.score)
    if 1.0 - chance <= policy.max_error:
        return Keep(draft, chance)
    return Escalate(draft, chance, reason="not sure enough")
