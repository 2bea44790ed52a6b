"""Does a package on trial do as well as its rollout demands? Counted here, judged without I/O.

A reason to roll back is told as soon as it is sure: a model that cannot answer is not watched for
ten minutes. An input that the old model could not answer either is not held against the new one.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from agent.update.book import Bounds

_SOME_ERRORS: Final = 3  # fewer may be the questions' fault
_SOME_ANSWERS: Final = 20  # of which a share can be told
_SOME_TIMES: Final = 9  # of which a median can be told
_CRASHES: Final = 2  # the engine may be killed for want of memory, once or twice
_LATEST: Final = 101  # times that the median is of


@dataclass(slots=True)
class Tally:
    """What a model has done."""

    answers: int = 0
    errors: int = 0
    asked: int = 0  # of the cloud
    crashes: int = 0  # of its engine
    broken: str = ""  # why its engine takes the package no more
    times_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST))

    @property
    def questions(self) -> int:
        """All that it was asked."""
        return self.answers + self.errors

    @property
    def error_share(self) -> float:
        """In [0, 1]."""
        return self.errors / self.questions if self.questions else 0.0


def failing(tally: Tally, bounds: Bounds, before: Tally) -> str:
    """Why a trial has failed; empty while it has not. `before`: of the model before it."""
    if tally.broken:
        return f"its engine refuses it: {tally.broken}"
    if tally.crashes > _CRASHES:
        return f"its engine crashed {tally.crashes} times"
    most_errors = max(bounds.most_errors, 2.0 * before.error_share)
    if tally.errors >= _SOME_ERRORS and tally.error_share > most_errors:
        return f"{tally.errors} of {tally.questions} questions got no answer from it"
    if tally.questions >= _SOME_ANSWERS and tally.asked > bounds.most_escalated * tally.questions:
        return f"{tally.asked} of {tally.questions} questions were asked of the cloud"
    if bounds.most_ms and len(tally.times_ms) >= _SOME_TIMES:
        typical_ms = median(tally.times_ms)
        if typical_ms > bounds.most_ms:
            return f"an answer takes {typical_ms:.0f} ms, more than {bounds.most_ms:g}"
    return ""
