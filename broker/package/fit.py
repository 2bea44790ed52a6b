"""Score -> chance of being right, fitted on the scores of labelled cases.

    (N,) scores, (N,) right or not --isotonic | logistic--> at most 40 knots
                                   `-- five folds --> log loss, Brier score, calibration error

Both methods end as knots of one rising, piecewise linear curve, so whoever reads them need not
know which it was. No block of cases promises certainty, however often it was right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.package.curves import MAX_KNOTS

_SMALLEST_BLOCK = 15  # samples; fewer say little about a chance
_FOLDS = 5
_BINS = 10
_CURVE_POINTS = 40
_PRIOR = 0.5  # Jeffreys: a block without an error is not a promise
_EDGE = 1e-6  # scores nearer to 0 or 1 are float32 noise; their logits would rule the fit
_STEPS = 100  # Newton needs about 8
_SETTLED = 1e-9  # a step as small as that changes no digit that is stored

Floats = NDArray[np.float64]
Points = list[tuple[float, float]]
Block = tuple[int, float, float]  # samples, sum of scores, right answers


@dataclass(frozen=True, slots=True)
class Scored:
    """How one head did on its cases; arrays are (N,)."""

    score: Floats  # in [0, 1]
    right: Floats  # 1.0 or 0.0
    asks: NDArray[np.bool_]  # the model said out of scope, so its score is never used
    cut: int = 0  # cases of which the model saw only the beginning
    scope_threshold: float | None = None  # that decided what it asks; None: its likeliest label


@dataclass(frozen=True, slots=True)
class Fit:
    """A curve, and how well its method does on cases that it was not fitted on."""

    method: str
    knots: Points  # (score, chance), scores rising, chances never falling
    log_loss: float  # natural log, of cases in other folds
    brier: float  # in [0, 1], of cases in other folds
    ece: float  # expected calibration error, in [0, 1], of cases in other folds


def best(cases: Scored) -> tuple[Fit, ...]:
    """Fit with every method; the one whose held-out log loss is smallest comes first."""
    # Log loss, not Brier: it is dearest where a sure answer is wrong, which is what a gate keeps.
    return tuple(sorted((fit(name, cases) for name in METHODS), key=lambda each: each.log_loss))


def fit(method: str, cases: Scored) -> Fit:
    """Fit with one method and judge it by five folds."""
    score, right = cases.score[~cases.asks], cases.right[~cases.asks]
    chance = _cross_fitted(METHODS[method], score, right)
    likely = np.clip(np.where(right > 0, chance, 1.0 - chance), _EDGE, 1.0)
    return Fit(
        method=method,
        knots=METHODS[method](score, right),
        log_loss=float(-np.log(likely).mean()),
        brier=float(((chance - right) ** 2).mean()),
        ece=_error(chance, right),
    )


def isotonic(score: Floats, right: Floats) -> Points:
    """Fit rising (score, chance) points by pooling adjacent violators."""
    if not len(score):
        return [(0.0, _chance(0, 0.0))]
    order = np.argsort(score, kind="stable")
    groups = np.array_split(order, max(1, len(order) // _SMALLEST_BLOCK))
    blocks = [(len(g), float(score[g].sum()), float(right[g].sum())) for g in groups]
    pooled = _pooled(blocks)
    while len(pooled) > MAX_KNOTS:
        at = min(range(len(pooled) - 1), key=lambda n: pooled[n][0] + pooled[n + 1][0])
        pooled[at : at + 2] = [_joined(pooled[at], pooled[at + 1])]
        pooled = _pooled(pooled)  # the prior weighs less in a joined block: it may now violate
    points: dict[float, float] = {}
    for count, total, hits in pooled:
        points[round(total / count, 5)] = _chance(count, hits)
    return sorted(points.items())


def logistic(score: Floats, right: Floats) -> Points:
    """Fit Platt's sigmoid of the score's logit, as knots between the lowest and highest score.

    Its targets are Platt's with the prior above, so that cases which are all right, all wrong
    or cleanly parted still have a finite fit.
    """
    if not len(score):
        return [(0.0, _chance(0, 0.0))]
    clipped = np.clip(score, _EDGE, 1.0 - _EDGE)
    logit = np.log(clipped) - np.log1p(-clipped)
    spread = float(logit.std())
    scaled = (logit - logit.mean()) / spread if spread > _SETTLED else np.zeros_like(logit)
    hits = int(right.sum())
    misses = len(right) - hits
    target = np.where(right > 0, _chance(hits, hits), _chance(misses, 0.0))
    slope, start = _newton(scaled, target)
    at = np.linspace(0.0, 1.0, MAX_KNOTS)
    low, high = _chance(len(right), 0.0), _chance(len(right), len(right))
    line = slope * (scaled.min() + at * np.ptp(scaled)) + start
    scores = _sigmoid(logit.min() + at * np.ptp(logit))
    chances = np.clip(_sigmoid(line), low, high)  # no surer than if every case had been right
    points = {round(float(s), 5): float(p) for s, p in zip(scores, chances, strict=True)}
    return sorted(points.items())


METHODS: Final[dict[str, Callable[[Floats, Floats], Points]]] = {
    "isotonic": isotonic,
    "logistic": logistic,
}


def risk_coverage(cases: Scored) -> list[list[float]]:
    """Share answered -> share wrong among them, the surest first; what the model asks is last."""
    order = np.argsort(-np.where(cases.asks, -1.0, cases.score), kind="stable")
    wrong = np.cumsum(1.0 - cases.right[order])
    most = int((~cases.asks).sum())
    counts = sorted({max(1, round(most * n / _CURVE_POINTS)) for n in range(1, _CURVE_POINTS + 1)})
    return [[round(n / len(order), 4), round(float(wrong[n - 1]) / n, 4)] for n in counts]


def _pooled(blocks: list[Block]) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        kept.append(block)
        while len(kept) > 1 and _block_chance(kept[-2]) >= _block_chance(kept[-1]):
            kept[-2:] = [_joined(kept[-2], kept[-1])]
    return kept


def _joined(one: Block, other: Block) -> Block:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _block_chance(block: Block) -> float:
    return _chance(block[0], block[2])


def _chance(count: int, hits: float) -> float:
    return (hits + _PRIOR) / (count + 2 * _PRIOR)


def _newton(scaled: Floats, target: Floats) -> tuple[float, float]:
    """Slope and start of the line whose sigmoid is likeliest; the slope is never below 0."""
    level = float(np.log(target.mean()) - np.log1p(-target.mean()))
    found = np.array([0.0, level])
    design = np.stack([scaled, np.ones_like(scaled)], axis=1)  # (N, 2)
    for _ in range(_STEPS):
        chance = _sigmoid(design @ found)
        weight = chance * (1.0 - chance)
        bend = (design * weight[:, np.newaxis]).T @ design + _SETTLED * np.eye(2)
        step = np.linalg.solve(bend, design.T @ (chance - target))
        while _loss(design @ (found - step), target) > _loss(design @ found, target):
            step /= 2
            if np.abs(step).max() < _SETTLED:
                break
        found = found - step
        if np.abs(step).max() < _SETTLED:
            break
    slope, start = (float(each) for each in found)
    return (slope, start) if slope > 0 else (0.0, level)  # a surer score is never a worse one


def _loss(line: Floats, target: Floats) -> float:
    return float((np.logaddexp(0.0, line) - target * line).sum())


def _sigmoid(line: Floats) -> Floats:
    positive: Floats = np.exp(-np.logaddexp(0.0, -line))
    return positive


def _cross_fitted(
    method: Callable[[Floats, Floats], Points], score: Floats, right: Floats
) -> Floats:
    """Give each case's chance by a fit on the other folds."""
    fold = np.random.default_rng(0).integers(0, _FOLDS, len(score))
    chance = np.empty_like(score)
    for number in range(_FOLDS):
        fitted = method(score[fold != number], right[fold != number])
        chance[fold == number] = np.interp(score[fold == number], *np.array(fitted).T)
    return chance


def _error(chance: Floats, right: Floats) -> float:
    """Mean gap between chance and accuracy in bins of equal size."""
    bins = np.array_split(np.argsort(chance, kind="stable"), _BINS)
    gaps = [abs(chance[b].mean() - right[b].mean()) * len(b) for b in bins if len(b)]
    return float(sum(gaps) / len(right))
