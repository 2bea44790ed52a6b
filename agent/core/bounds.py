"""Which scores may be kept, so that a bound on error holds with a stated confidence.

    risk table + max_error + confidence --> Certified(threshold) | Infeasible(best bound)

Learn-then-Test (arXiv 2110.01052). A step of the table says of the calibration's rows whose score
is above a threshold how many there were and how many were wrong. The thresholds are scores at ranks
that were fixed beforehand, so above each the rows are independent draws, and the wrong ones are
binomial: an exact test tells whether more than `max_error` of such answers are wrong. Testing goes
from sure to less sure and ends at the first failure (fixed-sequence testing), from four starts
that share the allowed chance of error, so that an early mistake among the surest does not end it
all. A rank's score moves with the data, so this rests on what makes a score worth anything: that
answers do not get better as it falls.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, exp, lgamma, log, log1p

NOTHING = 1.0  # no score is above it
EVERYTHING = -1.0  # each score is
# Shares of the rows that are the first tests. Chosen on resplits of two data sets: one start keeps
# as much but may end at once, more keep less.
_STARTS = (0.15, 0.4, 0.55, 0.75)
_DIGITS = 1e4  # a bound is told, and found, in hundredths of a percent
_SPLIT = 1e-9  # of a share, where bisection ends
_NEGLIGIBLE = 1e-17  # of a sum; smaller terms change no digit


@dataclass(frozen=True, slots=True)
class Step:
    """What keeping every score above a threshold did on the calibration's rows."""

    score: float  # in [0, 1]; kept are the scores above it
    kept: int  # rows
    wrong: int  # of those


@dataclass(frozen=True, slots=True)
class Risks:
    """A head's risk table. Without steps it was never measured."""

    steps: tuple[Step, ...] = ()  # scores falling, kept rising
    samples: int = 0  # rows, with those that the model itself called out of scope: never kept


NEVER_MEASURED = Risks()


@dataclass(frozen=True, slots=True)
class Certified:
    """The lowest threshold that the bound allows."""

    threshold: float  # keep what scores above it
    kept: float  # share of the calibration's rows, in [0, 1]
    wrong: float  # share of those, as measured; the bound allows for what was not seen


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No threshold keeps the bound with that confidence."""

    best: float  # the smallest max_error that could be had; 1.0: none
    kept: float  # share of questions that it would keep, in [0, 1]


def certify(risks: Risks, max_error: float, confidence: float) -> Certified | Infeasible:
    """Find the lowest threshold whose kept answers are wrong at most as often as allowed.

    An error of 0 allows nothing to be kept, one of 1 everything; neither needs a measurement.
    """
    if max_error <= 0.0:
        return Certified(NOTHING, 0.0, 0.0)
    if max_error >= 1.0:
        shares = _shares(risks, risks.steps[-1]) if risks.steps else (1.0, 1.0)
        return Certified(EVERYTHING, *shares)
    lowest = _lowest(risks, max_error, confidence)
    if lowest is None:
        return _best(risks, confidence)
    return Certified(lowest.score, *_shares(risks, lowest))


def certified_errors(risks: Risks, confidence: float) -> list[float]:
    """The smallest max_error under which each step is kept; they rise with what is kept."""
    errors = [smallest(step.wrong, step.kept, _chance(confidence)) for step in risks.steps]
    starts = _starts(risks)
    walked = [
        min((max(errors[start : n + 1]) for start in starts if start <= n), default=1.0)
        for n in range(len(errors))
    ]
    return list(accumulate(reversed(walked), min))[::-1]


def least_asked(risks: Risks, max_error: float) -> float:
    """The share of questions that any method must ask if it knows nothing of the scores' order.

    (mu - alpha) / (1 - alpha) with mu the error of all answers (arXiv 2606.29054). A method that
    asks less relies on scores that tell right from wrong.
    """
    if not risks.steps or max_error >= 1.0:
        return 0.0
    _, wrong = _shares(risks, risks.steps[-1])
    return max(0.0, (wrong - max_error) / (1.0 - max_error))


def at_most(wrong: int, kept: int, share: float) -> float:
    """The chance that of `kept` answers at most `wrong` are wrong, if each is with chance `share`.

    The exact p-value of the test that more than `share` of all such answers are wrong
    (Clopper and Pearson 1934).
    """
    if share <= 0.0 or wrong >= kept:
        return 1.0
    if share >= 1.0:
        return 0.0
    odds = share / (1.0 - share)
    if wrong >= kept * share:  # the larger part of the tail is below: what is above it is summed
        start = _exactly(wrong + 1, kept, share)
        ratios = ((kept - n) / (n + 1) * odds for n in range(wrong + 1, kept))
        return max(0.0, 1.0 - _sum(start, ratios))
    start = _exactly(wrong, kept, share)
    return min(1.0, _sum(start, (n / (kept - n + 1) / odds for n in range(wrong, 0, -1))))


def smallest(wrong: int, kept: int, chance: float) -> float:
    """The smallest share for which seeing so few wrong has at most this chance."""
    low, high = 0.0, 1.0
    while high - low > _SPLIT:
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(wrong, kept, middle) > chance else (low, middle)
    return high


def _exactly(wrong: int, kept: int, share: float) -> float:
    ways = lgamma(kept + 1) - lgamma(wrong + 1) - lgamma(kept - wrong + 1)
    return exp(ways + wrong * log(share) + (kept - wrong) * log1p(-share))


def _sum(term: float, ratios: Iterable[float]) -> float:
    """The sum of terms that fall, given the first and each one's ratio to that before it."""
    total = term
    for ratio in ratios:
        term *= ratio
        total += term
        if term <= total * _NEGLIGIBLE:
            break
    return total


def _lowest(risks: Risks, max_error: float, confidence: float) -> Step | None:
    passed = (_walk(risks, start, max_error, confidence) for start in _starts(risks))
    return min(filter(None, passed), key=lambda step: step.score, default=None)


def _starts(risks: Risks) -> list[int]:
    if not risks.steps:
        return []
    wanted = (share * risks.steps[-1].kept for share in _STARTS)
    return [next(n for n, step in enumerate(risks.steps) if step.kept >= rows) for rows in wanted]


def _walk(risks: Risks, start: int, max_error: float, confidence: float) -> Step | None:
    passed = None
    for step in risks.steps[start:]:
        if at_most(step.wrong, step.kept, max_error) > _chance(confidence):
            break
        passed = step
    return passed


def _chance(confidence: float) -> float:
    return (1.0 - confidence) / len(_STARTS)  # Bonferroni: either start may be the one that errs


def _best(risks: Risks, confidence: float) -> Infeasible:
    first = [risks.steps[n] for n in _starts(risks)]
    bounds = [smallest(step.wrong, step.kept, _chance(confidence)) for step in first]
    best = ceil(min(bounds, default=1.0) * _DIGITS) / _DIGITS
    lowest = _lowest(risks, best, confidence)
    if lowest is None or best >= 1.0:
        return Infeasible(1.0, 0.0)
    return Infeasible(best, _shares(risks, lowest)[0])


def _shares(risks: Risks, step: Step) -> tuple[float, float]:
    return step.kept / risks.samples, step.wrong / step.kept if step.kept else 0.0
