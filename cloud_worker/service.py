"""The worker's loop. It alone touches the store, the keys and the session.

    paho's thread --events--> [ queue ] --> loop --> ack, reply
    engine threads --finished----^            |--> engine threads

A message is acknowledged as soon as its question is claimed, answered or dropped, in the order of
arrival. mosquitto deals out questions blindly, so a full worker says `Busy` at once: a question
that lay here unanswered would be lost to the workers that are free.
"""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from uuid import UUID

from broker.wire import topics
from broker.wire.messages import Busy, dump_reply
from broker.wire.session import (
    Acknowledged,
    Address,
    Breached,
    Event,
    Offline,
    Online,
    Received,
    Session,
    SubscriptionRefused,
)
from cloud_worker.address import worker_address, worker_id
from cloud_worker.drops import DropLog
from cloud_worker.engines import Engines, Finished, Postponed, Said, answer
from cloud_worker.errors import ClaimStoreError
from cloud_worker.letters import Answered, Dropped, Job, Letter, Outcome, Reason
from cloud_worker.load import Load
from cloud_worker.models import Engine, Instant, engines_of
from cloud_worker.presence import Presence
from cloud_worker.sender import Sender
from cloud_worker.worker import Worker, seal

__all__ = ["WorkerService", "worker_address"]

_HOUSE_S = 1.0  # between two rounds of what is not urgent
_LONGEST_RETRY_S = 3600.0  # `broker.wire.messages`
_POLL_S = 0.05
_TOGETHER = 16  # events handled at a time: their claims and replies are one commit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what is accepted, then return."""


_Event = Event | Finished | Stop


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
        self._presence = Presence(
            topic=topics.worker_presence(worker.fleet, worker.pool, worker_id(address)),
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
        self._sender = Sender(self._session.publish, now_s=now_s, counters=self.counters)
        self._jobs: dict[tuple[str, UUID], Job] = {}  # accepted and not yet answered
        self._load = Load(self._limits.accepted)
        self._started: list[tuple[Job, Engine, float]] = []  # once their claims are stored
        self._letters: list[Letter] = []  # once they are stored
        self._stopping, self._house_due_s = False, 0.0  # monotonic
        self._drops = DropLog()

    def stop(self) -> None:
        """Have `run` return. May be called from a signal handler."""
        self._queue.put(Stop())

    def run(self) -> None:
        """Answer questions until `stop`; then finish what is accepted, as far as time allows."""
        with self._session:
            while not self._step(_HOUSE_S):
                pass
            self._drain()

    def _drain(self) -> None:
        stop_by_s = time.monotonic() + self._limits.drain_s
        self._stopping = True
        self._announce()
        # Until the broker has our last words: closing at once would throw them away.
        while (self._jobs or self._sender.under_way) and time.monotonic() < stop_by_s:
            self._step(_POLL_S)
        for job in self._jobs.values():
            self._worker.release(job)

    def _step(self, wait_s: float) -> bool:
        """Handle what there is; return whether we were told to stop."""
        events: list[_Event] = []
        with suppress(Empty):
            events.append(self._queue.get(timeout=wait_s))
            while len(events) < _TOGETHER:
                events.append(self._queue.get_nowait())
        self._guarded(lambda: self._handle_all(events))
        if time.monotonic() >= self._house_due_s:
            self._guarded(self._keep_house)
        return any(isinstance(event, Stop) for event in events)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except ClaimStoreError as error:  # the device asks again, and the disk may be better then
            self.counters["store"] += 1
            _log.error("%s", error)
        except Exception:  # noqa: BLE001 - one question must not end the service for all
            self.counters["failed"] += 1
            _log.exception("a mistake of ours")

    def _handle_all(self, events: list[_Event]) -> None:
        """Claim and store together, and only then work, reply and acknowledge."""
        try:
            with self._worker.together() if len(events) > 1 else nullcontext():
                for event in events:
                    self._guarded(partial(self._handle, event))
        finally:  # a full disk is no reason to keep an answer back
            for job, completer, deadline_s in self._started:
                self._engines.put(job, completer, deadline_s)
            for letter in self._letters:
                self._sender.send(letter)
            for event in events:  # in the order of arrival: MQTT 5.0, section 4.6
                if isinstance(event, Received):
                    self._session.ack(event.receipt)
            self._started.clear()
            self._letters.clear()

    def _handle(self, event: _Event) -> None:
        match event:
            case Received():
                self._received(event)
            case Finished(job, said):
                del self._jobs[_key(job)]
                self._load.take(job)
                answered = self._finish(job, said)
                self.counters[answered.reason] += 1
                self._letters.append(answered.letter)
            case Acknowledged(mid, code):
                self._sender.acknowledged(mid, code)
            case Online():
                self._announce()
            case Offline(reason, refused):
                self._sender.under_way.clear()
                self.counters["refused_by_broker" if refused else "broker_losses"] += 1
                _log.warning("offline: %s", reason)
            case SubscriptionRefused() | Breached():
                self.counters[event.counter] += 1
                _log.warning("the broker: %s", event)
            case Stop():
                pass

    def _received(self, event: Received) -> None:
        now_s = self._now_s()
        outcome = self._worker.receive(event.topic, event.payload, now_s=now_s)
        if isinstance(outcome, Job):
            outcome = self._accept(outcome, now_s)
        if isinstance(outcome, Answered):
            self._letters.append(outcome.letter)
        if not isinstance(outcome, Job):
            self.counters[outcome.reason] += 1

    def _accept(self, job: Job, now_s: float) -> Outcome:
        if _key(job) in self._jobs:
            return Dropped(Reason.WORKING)
        if self._stopping or not self._load.has_room(job):
            return self._postpone(job, Postponed(Reason.BUSY, 0.0))
        deadline_s = time.monotonic() + job.expires_s - now_s
        if isinstance(job.completer, Instant):  # its one commit is the claim and the reply
            return self._finish(job, answer(job, deadline_s))
        claimed = self._worker.claim(job, now_s=now_s)
        if isinstance(claimed, Job):
            self._jobs[_key(job)] = job
            self._load.add(job)
            self._started.append((job, job.completer, deadline_s))
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

    def _announce(self) -> None:
        if self._stopping:
            self._sender.publish(self._presence.gone())
        else:
            birth = self._presence.birth
            self._sender.publish(birth(len(self._jobs), self.counters, now_s=time.monotonic()))

    def _keep_house(self) -> None:
        now_s = time.monotonic()
        self._house_due_s = now_s + _HOUSE_S
        news = self._presence.refresh(len(self._jobs), self.counters, now_s=now_s)
        if news is not None and not self._stopping:
            self._sender.publish(news)
        self._drops.tell(self.counters)
        self.counters |= self._worker.keep_house(now_s=self._now_s())


def _key(job: Job) -> tuple[str, UUID]:
    return job.envelope.request.device, job.envelope.request.ticket
