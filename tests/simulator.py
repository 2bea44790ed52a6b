"""The cloud in memory: the real worker, real keys, a real store, and no socket.

A test says what the way back does to replies, by setting `way_back` to one of the functions here
or to its own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from broker.wire.credentials import load_worker
from broker.wire.messages import Busy, dump_reply
from broker.wire.topics import Route
from cloud_worker.devices import Devices
from cloud_worker.engines import Postponed, answer
from cloud_worker.letters import Answered, Dropped, Job, Reason
from cloud_worker.limits import Limits
from cloud_worker.models import Completers
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker, seal

WayBack = Callable[[bytes], list[bytes]]  # one reply -> what arrives of it


def deliver(reply: bytes) -> list[bytes]:
    """Nothing happens on the way."""
    return [reply]


def drop(_reply: bytes) -> list[bytes]:
    """It gets lost."""
    return []


def duplicate(reply: bytes) -> list[bytes]:
    """It comes twice."""
    return [reply, reply]


def corrupt(reply: bytes) -> list[bytes]:
    """One bit flips."""
    return [reply[:-1] + bytes([reply[-1] ^ 1])]


@dataclass(slots=True, kw_only=True)
class CloudSimulator:
    """Answers sealed questions at once."""

    worker: Worker
    way_back: WayBack = deliver
    full: bool = False  # says Busy
    now_s: Callable[[], float] = time.time
    reasons: list[Reason] = field(default_factory=list)  # what became of each question
    held: list[bytes] = field(default_factory=list)

    def ask(self, route: Route, wire: bytes) -> list[bytes]:
        """Publish a question; return the replies that arrive."""
        outcome = self.worker.receive(route.ask, wire, now_s=self.now_s())
        if isinstance(outcome, Job):
            outcome = self._answer(outcome)
        self.reasons.append(outcome.reason)
        return [] if isinstance(outcome, Dropped) else self.way_back(outcome.letter.sealed)

    def hold(self, reply: bytes) -> list[bytes]:
        """A way back that keeps replies until `release`."""
        self.held.append(reply)
        return []

    def release(self) -> list[bytes]:
        """What was held, in the wrong order."""
        held, self.held = self.held, []
        return held[::-1]

    def _answer(self, job: Job) -> Answered:
        if self.full:
            return Answered(Reason.BUSY, seal(job.envelope, dump_reply(Busy(1.0))))
        said = answer(job, time.monotonic() + job.expires_s - self.now_s())
        if isinstance(said, Postponed):
            busy = dump_reply(Busy(said.retry_after_s))
            return Answered(said.reason, seal(job.envelope, busy))
        return Answered(said.reason, self.worker.finish(job, said.body))


@contextmanager
def simulated_cloud(
    worker_folder: Path,
    completers: Completers,
    *,
    store: Path,
    limits: Limits | None = None,
    now_s: Callable[[], float] = time.time,
) -> Iterator[CloudSimulator]:
    """A cloud with the keys of a worker folder and its claims in the file `store`."""
    with ClaimStore(store) as claims:
        worker = Worker(
            credentials=load_worker(worker_folder),
            devices=Devices(worker_folder),
            completers=completers,
            store=claims,
            limits=limits or Limits(clock_proof_s=0.0),
        )
        yield CloudSimulator(worker=worker, now_s=now_s)
