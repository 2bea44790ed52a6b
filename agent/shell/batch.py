"""Questions that came together wait for the disk together.

    ask, ask, ask ... --stored--> [ batch ] --on the disk--> published, their inputs removed

A card wears out by each wait, and takes its time. One that comes alone does not wait for others.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from agent.store.commits import Commits

_MOST: Final = 64
_LONGEST_S: Final = 0.05  # that the first one waits for the others


class Batch:
    """What is done for questions once they are on the disk. Use from one thread.

    Args:
        commits: The outbox's.
    """

    def __init__(self, commits: Commits) -> None:
        self._commits = commits
        self._actions: list[Callable[[], None]] = []
        self._since_s = 0.0  # monotonic

    @property
    def is_full(self) -> bool:
        """Whether nobody waits any longer."""
        waited_s = time.monotonic() - self._since_s if self._actions else 0.0
        return len(self._actions) >= _MOST or waited_s >= _LONGEST_S

    @contextmanager
    def asking(self, *, alone: bool) -> Iterator[None]:
        """What is stored in here waits for the disk by itself, or else with the batch."""
        if alone and not self._actions:
            yield
        else:
            with self._commits.later():
                yield

    def then(self, action: Callable[[], None]) -> None:
        """Do it when all that was stored is on the disk."""
        if not self._commits.owes:
            action()
            return
        if not self._actions:
            self._since_s = time.monotonic()
        self._actions.append(action)

    def end(self, do: Callable[[Callable[[], None]], None]) -> None:
        """Wait for the disk, then `do` each.

        Raises:
            OutboxFullError: the disk takes no more; all wait for the next time.
        """
        self._commits.persist()
        actions, self._actions = self._actions, []
        for action in actions:
            do(action)
