"""What each task has left of its cloud budget, and how its checked answers fared; outlives a crash.

    asked     with the question, in one transaction: a killed agent has spent what it sent
    kept      every 32, and when the agent stops: what is lost is a budget that would be larger

Kept by the task's name, so new settings go on where the old ones were. Use from one thread.
"""

from collections.abc import Mapping

from agent.core import budget, drift
from agent.core.budget import Budget
from agent.core.drift import Checks
from agent.store.outbox import Outbox

_TOGETHER = 32  # kept answers noted at once: an SD card wears out by writing


class Spending:
    """The tasks' budgets, in the outbox's file."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._budgets: dict[str, Budget] = {}
        self._unsaved: dict[str, int] = {}  # answers since the task's budget was stored

    def left(self, task: str, max_share: float) -> Budget:
        """What a task has left; a new one has all of `max_share`."""
        if task not in self._budgets:
            new = budget.fresh(max_share)
            level = self._outbox.number(_level(task), new.level)
            self._budgets[task] = Budget(level, self._outbox.number(_tokens(task), new.tokens))
        return self._budgets[task]

    def numbers(self, task: str, now: Budget) -> Mapping[str, float]:
        """What the outbox stores with a question."""
        return {_level(task): now.level, _tokens(task): now.tokens}

    def asked(self, task: str, now: Budget) -> None:
        """The question and `numbers` are stored."""
        self._budgets[task] = now
        self._unsaved[task] = 0

    def kept(self, task: str, now: Budget) -> None:
        """A question was not asked.

        Raises:
            OutboxFullError: the disk takes no more; the budget is stored with a later question.
        """
        self._budgets[task] = now
        self._unsaved[task] = self._unsaved.get(task, 0) + 1
        if self._unsaved[task] >= _TOGETHER:
            self._store(task)

    def save(self) -> None:
        """Store what is not.

        Raises:
            OutboxFullError: the disk takes no more.
        """
        for task in [task for task, count in self._unsaved.items() if count]:
            self._store(task)

    def checks(self, task: str) -> Checks:
        """How a task's checked answers fared."""
        return drift.from_number(self._outbox.number(_checks(task)))

    def checked(self, task: str, now: Checks) -> None:
        """Store it.

        Raises:
            OutboxFullError: the disk takes no more.
        """
        self._outbox.remember(_checks(task), drift.to_number(now))

    def _store(self, task: str) -> None:
        self._unsaved[task] = 0
        for name, value in self.numbers(task, self._budgets[task]).items():
            self._outbox.remember(name, value)


def _level(task: str) -> str:
    return f"budget level of {task}"


def _tokens(task: str) -> str:
    return f"budget tokens of {task}"


def _checks(task: str) -> str:
    return f"checks of {task}"
