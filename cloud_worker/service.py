"""The worker's loop. It alone touches the store, the keys and the session.

    paho's thread --events--> [ queue ] --> loop --> ack, reply
    engine threads --finished----^            |--> engine threads

A message is acknowledged as soon as its question is claimed, answered or dropped, in the order of
arrival. mosquitto deals out questions blindly, so a full worker says `Busy` at once: a question
that lay here unanswered would be lost to the workers that are free.
"""

import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from uuid import UUID

from broker.wire import topics
from broker.wire.errors import BrokerUnavailableError
from broker.wire.messages import Busy, dump_reply
from broker.wire.session import (
    Acknowledged,
    Address,
    Event,
    Message,
    Offline,
    Online,
    Received,
    Session,
)
from broker.wire.topics import WorkerId
from cloud_worker.drops import DropLog
from cloud_worker.engines import Engines, Finished, Postponed, Said, answer
from cloud_worker.errors import ClaimStoreError
from cloud_worker.letters import Answered, Dropped, Job, Letter, Outcome, Reason
from cloud_worker.limits import Limits
from cloud_worker.models import Completer, Instant, engines_of
from cloud_worker.presence import Presence
from cloud_worker.worker import Worker, seal

_HOUSE_S = 1.0  # between two rounds of what is not urgent
_LEAST_EXPIRY_S = 60  # of a reply whose question is out of date, such as `WrongDate`

_LONGEST_RETRY_S = 3600.0  # `broker.wire.messages`
_POLL_S = 0.05
_SPARE = 2  # questions on the way while others are acknowledged

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what is accepted, then return."""


_Event = Event | Finished | Stop


def worker_address(host: str, port: int, limits: Limits) -> Address:
    """An address under a name that no worker had before."""
    return Address(
        host=host,
        port=port,
        client_id=f"worker-{secrets.token_hex(8)}",
        # As many as may wait here, so that the broker waits and not our memory grows.
        receive_maximum=min(_SPARE + limits.queue, 65_535),
    )


class WorkerService:
    """Runs a worker on a broker until it is told to stop.

    Args:
        worker: Answers questions.
        address: The broker; its client id names the worker.
        now_s: Unix time, seconds.
    """

    def __init__(
        self, *, worker: Worker, address: Address, now_s: Callable[[], float] = time.time
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._worker, self._limits, self._now_s = worker, worker.limits, now_s
        self._queue: SimpleQueue[_Event] = SimpleQueue()
        self._engines = Engines(engines_of(worker.completers), sink=self._queue.put)
        name = WorkerId(address.client_id)
        self._presence = Presence(
            topic=topics.worker_presence(worker.fleet, worker.pool, name),
            session=int(now_s()),
            completers=worker.completers,
            accepted=self._limits.accepted,
        )
        self._session = Session(
            address,
            subscriptions=[topics.shared_questions(worker.fleet, worker.pool)],
            sink=self._queue.put,
            will=self._presence.gone(),
        )
        self._jobs: dict[tuple[str, UUID], Job] = {}  # accepted and not yet answered
        self._load: Counter[Completer] = Counter()  # of them, by who answers
        self._stopping = False
        self._unacknowledged: set[int] = set()
        self._house_due_s = 0.0  # monotonic
        self._drops = DropLog()

    def stop(self) -> None:
        """Have `run` return. May be called from a signal handler."""
        self._queue.put(Stop())

    def run(self) -> None:
        """Answer questions until `stop`; then finish what is accepted, as far as time allows."""
        with self._session:
            while not isinstance(self._step(_HOUSE_S), Stop):
                pass
            self._drain()

    def _drain(self) -> None:
        stop_by_s = time.monotonic() + self._limits.drain_s
        self._stopping = True
        self._announce()
        # Until the broker has our last words: closing at once would throw them away.
        while (self._jobs or self._unacknowledged) and time.monotonic() < stop_by_s:
            self._step(_POLL_S)
        for job in self._jobs.values():
            self._worker.release(job)

    def _step(self, wait_s: float) -> _Event | None:
        try:
            event = self._queue.get(timeout=wait_s)
        except Empty:
            event = None
        try:
            self._handle(event)
            if time.monotonic() >= self._house_due_s:
                self._keep_house()
        except ClaimStoreError as error:  # the device asks again, and the disk may be better then
            self.counters["store"] += 1
            _log.error("%s", error)
        except Exception:  # noqa: BLE001 - one question must not end the service for all
            self.counters["failed"] += 1
            _log.exception("a mistake of ours")
        return event

    def _handle(self, event: _Event | None) -> None:
        match event:
            case Received():
                try:
                    self._received(event)
                finally:
                    self._session.ack(event.receipt)
            case Finished(job, said):
                del self._jobs[_key(job)]
                self._load[job.completer] -= 1
                answered = self._finish(job, said)
                self.counters[answered.reason] += 1
                self._send(answered.letter)
            case Acknowledged(mid):
                self._unacknowledged.discard(mid)
            case Online():
                self._announce()
            case Offline(reason):
                self._unacknowledged.clear()
                _log.warning("offline: %s", reason)
            case Stop() | None:
                pass

    def _received(self, event: Received) -> None:
        now_s = self._now_s()
        outcome = self._worker.receive(event.topic, event.payload, now_s=now_s)
        if isinstance(outcome, Job):
            outcome = self._accept(outcome, now_s)
        if isinstance(outcome, Answered):
            self._send(outcome.letter)
        if not isinstance(outcome, Job):
            self.counters[outcome.reason] += 1

    def _accept(self, job: Job, now_s: float) -> Outcome:
        if _key(job) in self._jobs:
            return Dropped(Reason.WORKING)
        if self._stopping or self._load[job.completer] >= self._limits.accepted(job.completer):
            return self._postpone(job, Postponed(Reason.BUSY, 0.0))
        deadline_s = time.monotonic() + job.expires_s - now_s
        if isinstance(job.completer, Instant):  # its one commit is the claim and the reply
            return self._finish(job, answer(job, deadline_s))
        claimed = self._worker.claim(job, now_s=now_s)
        if isinstance(claimed, Job):
            self._jobs[_key(job)] = job
            self._load[job.completer] += 1
            self._engines.put(job, job.completer, deadline_s)
        return claimed

    def _finish(self, job: Job, said: Said) -> Answered:
        if isinstance(said, Postponed):
            self._worker.release(job)  # so that it is worked on when the device asks again
            return self._postpone(job, said)
        try:
            return Answered(said.reason, self._worker.finish(job, said.body))
        except ClaimStoreError:  # a full disk is no reason to keep an answer back
            self.counters["unstored"] += 1
            return Answered(said.reason, seal(job.envelope, said.body))

    def _postpone(self, job: Job, postponed: Postponed) -> Answered:
        # Jitter, not a secret: those who were turned away together should not come back together.
        own_s = self._limits.retry_after_s * random.uniform(0.5, 1.5)  # noqa: S311
        theirs_s = postponed.retry_after_s * random.uniform(1.0, 1.5)  # noqa: S311
        busy = Busy(min(max(own_s, theirs_s), _LONGEST_RETRY_S))
        return Answered(postponed.reason, seal(job.envelope, dump_reply(busy)))

    def _send(self, letter: Letter) -> None:
        remaining_s = int(letter.expires_s - self._now_s())
        self._publish(
            Message(
                letter.topic,
                letter.sealed,
                correlation=letter.ticket.bytes,
                expiry_s=max(_LEAST_EXPIRY_S, remaining_s),
            )
        )

    def _publish(self, message: Message) -> None:
        try:
            self._unacknowledged.add(self._session.publish(message))
        except BrokerUnavailableError:  # the reply is stored: the device asks again and gets it
            self.counters["unsent"] += 1

    def _announce(self) -> None:
        if self._stopping:
            self._publish(self._presence.gone())
        else:
            now_s = time.monotonic()
            self._publish(self._presence.birth(len(self._jobs), self.counters, now_s=now_s))

    def _keep_house(self) -> None:
        now_s = time.monotonic()
        self._house_due_s = now_s + _HOUSE_S
        if not self._stopping:
            news = self._presence.refresh(len(self._jobs), self.counters, now_s=now_s)
            if news is not None:
                self._publish(news)
        self._drops.tell(self.counters)
        self._worker.keep_house(now_s=self._now_s())


def _key(job: Job) -> tuple[str, UUID]:
    return job.envelope.request.device, job.envelope.request.ticket
