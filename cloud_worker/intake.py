"""What becomes of each question: accepted, answered, turned away, or given back.

    Received --> started, for an engine    --Finished--> letters, to be sent
             '-> letters: an instant answer, a repeat, a refusal, busy

Both lists are emptied by the loop once the claims and replies in them are stored.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from broker.wire.messages import Busy, dump_reply
from broker.wire.session import Received
from cloud_worker.engines import Finished, Postponed, Said, answer
from cloud_worker.errors import ClaimStoreError
from cloud_worker.letters import Answered, Dropped, Job, Letter, Outcome, Reason
from cloud_worker.load import Load
from cloud_worker.models import Completer, Engine, Instant
from cloud_worker.worker import Worker, seal

_LONGEST_RETRY_S = 3600.0  # `broker.wire.messages`


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A question that a model had."""

    completer: Completer
    reason: Reason
    waited_s: float  # for a thread of the engine
    took_s: float  # for the model; 0: it was not asked
    here_s: float  # from its acceptance to its reply


Observe = Callable[[Served], None]  # called by the loop; must be quick


def unseen(_served: Served) -> None:
    """Observe nothing."""


class Intake:
    """Takes questions in, for the loop and on its thread.

    Args:
        worker: Opens, claims and seals.
        counters: The service's.
        now_s: Unix time, seconds.
        observe: Told of every question that a model had.
    """

    def __init__(
        self,
        worker: Worker,
        counters: Counter[str],
        *,
        now_s: Callable[[], float],
        observe: Observe,
    ) -> None:
        self.load = Load(worker.limits.accepted)
        self.started: list[tuple[Job, Engine, float]] = []  # until when: monotonic
        self.letters: list[Letter] = []
        self.closed = False  # what comes from now on is turned away
        self._worker, self._limits = worker, worker.limits
        self._counters, self._now_s, self._observe = counters, now_s, observe

    def receive(self, event: Received) -> None:
        """Take a question in.

        Raises:
            ClaimStoreError: the disk refused.
        """
        now_s = self._now_s()
        outcome = self._worker.receive(event.topic, event.payload, now_s=now_s)
        if isinstance(outcome, Job):
            outcome = self._accept(outcome, now_s)
        if isinstance(outcome, Answered):
            self.letters.append(outcome.letter)
        if not isinstance(outcome, Job):
            self._counters[outcome.reason] += 1

    def finish(self, finished: Finished) -> None:
        """Take what a model said.

        Raises:
            ClaimStoreError: the disk refused.
        """
        job = finished.job
        if job not in self.load:  # it was given back a moment ago
            return
        here_s = time.monotonic() - self.load.take(job)
        answered = self._finish(job, finished.said)
        self._counters[answered.reason] += 1
        self.letters.append(answered.letter)
        self._observe(
            Served(
                completer=job.completer,
                reason=answered.reason,
                waited_s=finished.waited_s,
                took_s=finished.took_s,
                here_s=here_s,
            )
        )

    def give_back(self, job: Job) -> None:
        """Have the device ask somebody else.

        Raises:
            ClaimStoreError: the disk refused; the device is told all the same.
        """
        self.load.take(job)
        self._counters[Reason.RETURNED] += 1
        self.letters.append(self._postpone(job, Postponed(Reason.RETURNED, 0.0)).letter)
        self._worker.release(job)

    def _accept(self, job: Job, now_s: float) -> Outcome:
        if job in self.load:
            return Dropped(Reason.WORKING)
        if self.closed or not self.load.has_room(job):
            return self._postpone(job, Postponed(Reason.BUSY, 0.0))
        begun_s = time.monotonic()
        deadline_s = begun_s + job.expires_s - now_s
        if isinstance(job.completer, Instant):  # its one commit is the claim and the reply
            return self._at_once(job, begun_s, deadline_s)
        claimed = self._worker.claim(job, now_s=now_s)
        if isinstance(claimed, Job):
            self.load.add(job, begun_s)
            self.started.append((job, job.completer, deadline_s))
        return claimed

    def _at_once(self, job: Job, begun_s: float, deadline_s: float) -> Answered:
        said = answer(job, deadline_s)
        took_s = time.monotonic() - begun_s
        served = Served(
            completer=job.completer, reason=said.reason, waited_s=0.0, took_s=took_s, here_s=took_s
        )
        self._observe(served)
        return self._finish(job, said)

    def _finish(self, job: Job, said: Said) -> Answered:
        if isinstance(said, Postponed):
            self._worker.release(job)  # so that it is worked on when the device asks again
            return self._postpone(job, said)
        try:
            return Answered(said.reason, self._worker.finish(job, said.body))
        except ClaimStoreError:  # a full disk is no reason to keep an answer back
            self._counters["unstored"] += 1
            return Answered(said.reason, seal(job.envelope, said.body))

    def _postpone(self, job: Job, postponed: Postponed) -> Answered:
        # Jitter, not a secret: those who were turned away together should not come back together.
        own_s = self._limits.retry_after_s * random.uniform(0.5, 1.5)  # noqa: S311
        theirs_s = postponed.retry_after_s * random.uniform(1.0, 1.5)  # noqa: S311
        busy = Busy(min(max(own_s, theirs_s), _LONGEST_RETRY_S))
        return Answered(postponed.reason, seal(job.envelope, dump_reply(busy)))
