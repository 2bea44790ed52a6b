"""Whose question is next: devices take turns, and of one device the most urgent comes first.

    job --put--> device -> [ by priority, then end of its time ] --take--> a thread of the engine

So a device that floods waits for itself, and what its task can wait for least is asked first. A
priority is a word among a device's own questions: it takes no other device's turn.
"""

import heapq
import time
from collections import OrderedDict
from itertools import count
from threading import Condition

from cloud_worker.letters import Job

_Place = tuple[tuple[int, float, int], float, Job]  # with what orders it, and since when
Waiting = tuple[Job, float, float]  # since when, and until when; monotonic seconds


class Turns:
    """A queue that threads share. The caller bounds what it puts."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, list[_Place]] = OrderedDict()
        self._numbers = count()  # of two that are equally urgent, the first that came
        self._changed = Condition()

    def put(self, job: Job, deadline_s: float) -> None:
        """Have a job wait for its turn."""
        device = job.envelope.request.device
        with self._changed:
            queue = self._queues.setdefault(device, [])
            order = (job.question.priority.rank, deadline_s, next(self._numbers))
            heapq.heappush(queue, (order, time.monotonic(), job))
            self._changed.notify()

    def waiting(self) -> int:
        """How many jobs have not been taken."""
        with self._changed:
            return sum(map(len, self._queues.values()))

    def take(self) -> Waiting:
        """The next job, when there is one; its device is then behind all others."""
        with self._changed:
            self._changed.wait_for(lambda: self._queues)
            device, queue = self._queues.popitem(last=False)
            (_, deadline_s, _), put_s, job = heapq.heappop(queue)
            if queue:
                self._queues[device] = queue
        return job, put_s, deadline_s
