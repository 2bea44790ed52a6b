"""What a worker has accepted and not yet answered, and how much of it one device may have."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

from cloud_worker.letters import Job
from cloud_worker.models import Completer, Engine, Instant
from cloud_worker.vitals import Lane

_TIMES = 2  # what is left free, that one device may have: two thirds of all if it is alone


class Load:
    """Holds accepted questions, and counts them by who answers and by who asks.

    Args:
        accepted: How many a model takes on at once.
    """

    def __init__(self, accepted: Callable[[Completer], int]) -> None:
        self._accepted = accepted
        self._held: dict[tuple[str, UUID], tuple[Job, float]] = {}  # since when; oldest first
        self._all: Counter[Completer] = Counter()
        self._shares: Counter[tuple[str, Completer]] = Counter()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._held)

    def __iter__(self) -> Iterator[Job]:
        """All of them, the oldest first, as they are now."""
        return iter([job for job, _ in self._held.values()])

    def __contains__(self, job: Job) -> bool:
        """Whether it, or its repeat, is accepted and not yet answered."""
        return _key(job) in self._held

    def add(self, job: Job, now_s: float) -> None:
        """It is accepted."""
        self._held[_key(job)] = (job, now_s)
        self._count(job, 1)

    def take(self, job: Job) -> float:
        """It is answered, or given back; return since when it was here.

        Raises:
            KeyError: it is not here.
        """
        _, since_s = self._held.pop(_key(job))
        self._count(job, -1)
        return since_s

    def has_room(self, job: Job) -> bool:
        """Whether it may be accepted: a device that floods leaves room for the others."""
        free = self._accepted(job.completer) - self._all[job.completer]
        own = self._shares[job.envelope.request.device, job.completer]
        return isinstance(job.completer, Instant) or (free > 0 and own <= _TIMES * free)

    def lanes(self, waiting: Mapping[Engine, int]) -> Iterator[Lane]:
        """Every engine and its questions; `waiting` are those that no thread has taken."""
        for engine, not_taken in waiting.items():
            accepted = self._all[engine]
            waits = min(not_taken, accepted)  # counted by other threads, a moment earlier
            yield Lane(
                model=engine.model,
                capacity=self._accepted(engine),
                waiting=waits,
                working=accepted - waits,
                oldest_s=self._oldest_s(engine) if accepted else None,
                ready=engine.ready(),
            )

    def _oldest_s(self, engine: Engine) -> float:
        return next(since_s for job, since_s in self._held.values() if job.completer is engine)

    def _count(self, job: Job, more: int) -> None:
        share = (job.envelope.request.device, job.completer)
        self._all[job.completer] += more
        self._shares[share] += more
        if not self._shares[share]:
            del self._shares[share]  # else every device that ever asked would stay in memory


def _key(job: Job) -> tuple[str, UUID]:
    return job.envelope.request.device, job.envelope.request.ticket
