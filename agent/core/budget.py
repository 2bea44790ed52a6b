"""How much a task may still ask: a budget that holds whatever comes.

    Budget --spend | save--> Budget       after each question, asked or not

Two controls. The level rises while less than `max_share` is asked and falls while more is: an
integral controller, `level += gain * (max_share - asked)`, on the scale of `Calibration.depth`,
where a level of 0.15 asks the least sure 15 % of questions like those of the calibration. So the
share holds in the long run under drift (adaptive conformal inference, arXiv 2106.00170). The tokens
are a bucket that bursts cannot overdraw: of 200 questions in a row no more than twice the share.
"""

from dataclasses import dataclass

WINDOW = 200  # questions over which the bucket holds
_BURST = 2.0  # times the share, in no window exceeded
# Of the share. Measured on a stream whose part out of scope goes 2 -> 30 -> 10 %: a faster level
# spreads the questions evenly and answers fewer right, a slower one lets the share be exceeded.
_GAIN = 1 / 60
_HIGHEST = 3.0  # times the share; what a calm time saves up ends there


@dataclass(frozen=True, slots=True)
class Budget:
    """What one task has left."""

    level: float  # ask what is no deeper: a share of questions, the least sure first
    tokens: float  # questions that may be asked at once


def fresh(max_share: float) -> Budget:
    """The budget of a task that has asked nothing yet."""
    return Budget(max_share, _capacity(max_share))


def allows(budget: Budget, max_share: float) -> bool:
    """Whether one question more may be asked now."""
    return _filled(budget, max_share) >= 1.0


def spend(budget: Budget, max_share: float) -> Budget:
    """A question was asked."""
    return Budget(_level(budget, max_share, asked=1), _filled(budget, max_share) - 1.0)


def save(budget: Budget, max_share: float) -> Budget:
    """A question was not asked."""
    return Budget(_level(budget, max_share, asked=0), _filled(budget, max_share))


def _level(budget: Budget, max_share: float, asked: int) -> float:
    level = budget.level + max_share * _GAIN * (max_share - asked)
    return min(level, _HIGHEST * max_share)


def _filled(budget: Budget, max_share: float) -> float:
    return min(_capacity(max_share), budget.tokens + _refill(max_share))


def _capacity(max_share: float) -> float:
    """A quarter of what a window may hold, so that most of it comes evenly; one at least."""
    return max(1.0, _BURST * WINDOW * max_share / 4) if max_share > 0.0 else 0.0


def _refill(max_share: float) -> float:
    """Tokens for each question: with a full bucket, a window holds exactly what it may.

    Never less than the share itself. That is more only below one question in a window, when the
    bucket's one token already is.
    """
    return max(max_share, (_BURST * WINDOW * max_share - _capacity(max_share)) / WINDOW)
