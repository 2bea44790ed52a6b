"""What a worker has accepted and not yet answered, and how much of it one device may have."""

from collections import Counter
from collections.abc import Callable

from cloud_worker.letters import Job
from cloud_worker.models import Completer, Instant

_TIMES = 2  # what is left free, that one device may have: two thirds of all if it is alone


class Load:
    """Counts accepted questions, by who answers and by who asks.

    Args:
        accepted: How many a model takes on at once.
    """

    def __init__(self, accepted: Callable[[Completer], int]) -> None:
        self._accepted = accepted
        self._all: Counter[Completer] = Counter()
        self._shares: Counter[tuple[str, Completer]] = Counter()

    def add(self, job: Job) -> None:
        """It is accepted."""
        self._count(job, 1)

    def take(self, job: Job) -> None:
        """It is answered."""
        self._count(job, -1)

    def has_room(self, job: Job) -> bool:
        """Whether it may be accepted: a device that floods leaves room for the others."""
        free = self._accepted(job.completer) - self._all[job.completer]
        own = self._shares[job.envelope.request.device, job.completer]
        return isinstance(job.completer, Instant) or (free > 0 and own <= _TIMES * free)

    def _count(self, job: Job, more: int) -> None:
        share = (job.envelope.request.device, job.completer)
        self._all[job.completer] += more
        self._shares[share] += more
        if not self._shares[share]:
            del self._shares[share]  # else every device that ever asked would stay in memory
