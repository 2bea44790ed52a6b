"""Whose question is next: devices take turns, and of one device the most urgent comes first.

    job --put--> device -> [ by the end of its time ] --take--> a free thread of the engine

So a device that floods waits for itself, and what its task can wait for least is asked first.
"""

import heapq
import time
from collections import OrderedDict
from itertools import count
from threading import Condition

from cloud_worker.letters import Job

Waiting = tuple[Job, float, float]  # since when, and until when; monotonic seconds


class Turns:
    """A queue that threads share. The caller bounds what it puts."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, list[tuple[float, int, float, Job]]] = OrderedDict()
        self._numbers = count()  # of two that are equally urgent, the first that came
        self._changed = Condition()

    def put(self, job: Job, deadline_s: float) -> None:
        """Have a job wait for its turn."""
        device = job.envelope.request.device
        with self._changed:
            queue = self._queues.setdefault(device, [])
            heapq.heappush(queue, (deadline_s, next(self._numbers), time.monotonic(), job))
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
            deadline_s, _, put_s, job = heapq.heappop(queue)
            if queue:
                self._queues[device] = queue
        return job, put_s, deadline_s
