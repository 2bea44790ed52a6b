"""Draft -> Keep | Escalate | Explore | Withhold: trust the local model, or ask.

A model's own score is not the chance that it is right. A calibration, fitted on the very file
that runs, turns one into the other. The operator bounds the share of kept answers that is wrong,
the share of questions that is asked, or both, and never the score.

    wants to ask    the score is not above the certified threshold, or the model says out of scope
    may ask         the task's budget has room; without `max_share` it always has
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

from agent.core import bounds
from agent.core.bounds import NEVER_MEASURED, Certified, Infeasible, Risks
from agent.core.budget import Budget, allows
from agent.stages import Decision, Draft, Escalate, Explore, Keep, Withhold

_KNOWN = 64  # calibrations and policies whose thresholds are remembered: more than an agent has

OUTSIDE = "outside what the local model knows"
UNSURE = "not sure enough"
LEAST_SURE = "among the least sure"
NO_BOUND = "no threshold keeps the bound on error"


@dataclass(frozen=True, slots=True, eq=False)  # by identity: a threshold is derived once for each
class Calibration:
    """What a head's scores mean: the chance of being right, and the risk of keeping them."""

    knots: tuple[tuple[float, float], ...]  # (score, chance), both in [0, 1], scores rising
    risks: Risks = NEVER_MEASURED

    def chance(self, score: float) -> float:
        """The calibrated chance, in [0, 1], that an answer of this score is right."""
        if not self.knots:
            return 0.0  # never measured: never trusted
        return _between(self.knots, score)

    def depth(self, score: float) -> float:
        """The share of the calibration's questions that are less sure than this score."""
        steps, samples = self.risks.steps, self.risks.samples
        place = bisect_left(steps, -score, key=lambda step: -step.score)  # scores fall
        if place == len(steps):
            return 0.0  # not even the least sure step keeps it, or nothing was measured
        kept, above = steps[place].kept, steps[place - 1].kept if place else 0
        low, high = steps[place].score, steps[place - 1].score if place else 1.0
        part = (score - low) / (high - low) if high > low else 0.0
        return 1.0 - (kept + (above - kept) * part) / samples


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What the operator accepts."""

    max_error: float | None  # of what is kept, this share may be wrong; None: no bound
    confidence: float = 0.9  # in (0, 1): that the bound holds
    max_share: float | None = None  # of questions that may be asked; None: any
    explore: float = 0.0  # share of kept answers that are asked all the same


def route(
    draft: Draft, calibration: Calibration, policy: GatePolicy, budget: Budget | None, lot: float
) -> Decision:
    """Decide on a draft; `lot` in [0, 1) is drawn for the question, and draws exploration.

    Without `max_share` there is no budget.
    """
    chance = 0.0 if draft.out_of_scope else calibration.chance(draft.score)
    reason = doubt(draft, calibration, policy)
    if reason and may_ask(draft, calibration, policy, budget):
        return Escalate(draft, chance, reason)
    if reason:
        return Withhold(draft, chance, reason)
    if budget is not None and policy.max_share is not None:
        room = allows(budget, policy.max_share)
        unbound = policy.max_error is None and calibration.depth(draft.score) <= budget.level
        if unbound and room:
            return Escalate(draft, chance, LEAST_SURE)
        if not room:
            return Keep(draft, chance)
    bound = policy.max_error is None or policy.max_error < 1.0  # else there is nothing to check
    return Explore(draft, chance) if bound and lot < policy.explore else Keep(draft, chance)


def doubt(draft: Draft, calibration: Calibration, policy: GatePolicy) -> str:
    """Why a draft must not be kept, as far as the budget is not asked; empty: it may."""
    if draft.out_of_scope:
        return OUTSIDE
    if policy.max_error is None:
        return "" if calibration.risks.steps else UNSURE
    found = threshold(calibration, policy.max_error, policy.confidence)
    if isinstance(found, Infeasible):
        return NO_BOUND if calibration.risks.steps else UNSURE
    return "" if draft.score > found.threshold else UNSURE


def may_ask(
    draft: Draft, calibration: Calibration, policy: GatePolicy, budget: Budget | None
) -> bool:
    """Whether the budget lets a draft that is in doubt be asked: the least sure come first."""
    if budget is None or policy.max_share is None:
        return True
    depth = 0.0 if draft.out_of_scope else calibration.depth(draft.score)
    return depth <= budget.level and allows(budget, policy.max_share)


@lru_cache(_KNOWN)
def threshold(
    calibration: Calibration, max_error: float, confidence: float
) -> Certified | Infeasible:
    """The certified threshold of a calibration; remembered, since it takes a millisecond."""
    return bounds.certify(calibration.risks, max_error, confidence)


def _between(knots: tuple[tuple[float, float], ...], score: float) -> float:
    right = bisect_right(knots, score, key=lambda knot: knot[0])
    if right == 0:
        return knots[0][1]
    if right == len(knots):
        return knots[-1][1]
    (low, low_chance), (high, high_chance) = knots[right - 1 : right + 1]
    return low_chance + (high_chance - low_chance) * (score - low) / (high - low)
