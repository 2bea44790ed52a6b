"""The worker's loop. It alone touches the store, the keys and the session.

    paho's thread --events--> [ queue ] --> loop --> ack, reply
    engine threads --finished----^            |--> engine threads
                                              '--> vitals, read by other threads

A message is acknowledged as soon as its question is claimed, answered or dropped, in the order of
arrival. mosquitto deals out questions blindly, so a full worker says `Busy` at once: a question
that lay here unanswered would be lost to the workers that are free.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

from broker.wire import topics
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
from cloud_worker.engines import Engines, Finished
from cloud_worker.errors import ClaimStoreError
from cloud_worker.intake import Intake, Observe, unseen
from cloud_worker.letters import Reason
from cloud_worker.models import engines_of
from cloud_worker.presence import Presence
from cloud_worker.sender import Sender
from cloud_worker.vitals import GOOD, Vitals
from cloud_worker.worker import Worker

__all__ = ["WorkerService", "worker_address"]

_HOUSE_S = 1.0  # between two rounds of what is not urgent
_POLL_S = 0.05
_TOGETHER = 16  # events handled at a time: their claims and replies are one commit
_FAREWELL_S = 1.0  # of the time to stop in: for the broker to take what is given back
_FAREWELL_SHARE = 0.25  # of that time, at most

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
        observe: Told of every question that a model had.
    """

    def __init__(
        self,
        *,
        worker: Worker,
        address: Address,
        now_s: Callable[[], float] = time.time,
        observe: Observe = unseen,
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
        self._questions = topics.shared_questions(worker.fleet, worker.pool)
        self._session = Session(
            address,
            subscriptions=[self._questions],
            sink=self._queue.put,
            will=self._presence.gone(),
        )
        self._sender = Sender(self._session.publish, now_s=now_s, counters=self.counters)
        self._intake = Intake(worker, self.counters, now_s=now_s, observe=observe)
        self._load = self._intake.load
        self._house_due_s = 0.0  # monotonic
        self._drops = DropLog()
        self._broker = "not connected yet"
        self._beat: Callable[[], None] = lambda: None
        self.vitals = self._look()  # replaced once a second; may be read on any thread

    def stop(self) -> None:
        """Have `run` return. May be called from a signal handler."""
        self._queue.put(Stop())

    def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Answer questions until `stop`; then finish what is accepted, as far as time allows.

        `beat` is called once a second, as long as the loop turns.
        """
        self._beat = beat
        with self._session:
            while not self._step(_HOUSE_S):
                pass
            self._drain()

    def _drain(self) -> None:
        stop_by_s = time.monotonic() + self._limits.drain_s
        farewell_s = min(_FAREWELL_S, _FAREWELL_SHARE * self._limits.drain_s)
        answered_before = self.counters[Reason.ANSWERED]
        accepted = len(self._load)
        told = {"event": "stopping", "accepted": accepted}
        _log.info("stopping: %d questions are accepted", accepted, extra=told)
        self._intake.closed = True
        self._session.unwatch([self._questions])  # so that the others get what comes now
        self._announce()
        self.vitals = self._look()
        # Until the broker has our last words: closing at once would throw them away.
        while (self._load or self._sender.under_way) and (
            time.monotonic() < stop_by_s - farewell_s
        ):
            self._step(_POLL_S)
        for job in self._load:
            self._guarded(partial(self._intake.give_back, job))
        self._send()
        while self._sender.under_way and time.monotonic() < stop_by_s:
            self._step(_POLL_S)
        returned = self.counters[Reason.RETURNED]
        answered = self.counters[Reason.ANSWERED] - answered_before
        told = {"event": "stopped", "answered": answered, "returned": returned}
        _log.info("stopped: %d more answered, %d given back", answered, returned, extra=told)

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
            self.vitals = self._look()
            self._beat()
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
            for job, engine, deadline_s in self._intake.started:
                self._engines.put(job, engine, deadline_s)
            self._intake.started.clear()
            self._send()
            for event in events:  # in the order of arrival: MQTT 5.0, section 4.6
                if isinstance(event, Received):
                    self._session.ack(event.receipt)

    def _send(self) -> None:
        for letter in self._intake.letters:
            self._sender.send(letter)
        self._intake.letters.clear()

    def _handle(self, event: _Event) -> None:
        match event:
            case Received():
                self._intake.receive(event)
            case Finished():
                self._intake.finish(event)
            case Acknowledged(mid, code):
                self._sender.acknowledged(mid, code)
            case Online():
                self._broker = GOOD
                _log.info("online", extra={"event": "online"})
                self._announce()
                self.vitals = self._look()
            case Offline(reason, refused):
                self._broker = reason
                self._sender.under_way.clear()
                self.counters["refused_by_broker" if refused else "broker_losses"] += 1
                _log.warning("offline: %s", reason, extra={"event": "offline"})
                self.vitals = self._look()
            case SubscriptionRefused():
                self._broker = str(event)
                self.counters[event.counter] += 1
                _log.warning("the broker: %s", event)
            case Breached():
                self.counters[event.counter] += 1
                _log.warning("the broker: %s", event)
            case Stop():
                pass

    def _announce(self) -> None:
        if self._intake.closed:
            self._sender.publish(self._presence.gone())
        else:
            birth = self._presence.birth
            self._sender.publish(birth(len(self._load), self.counters, now_s=time.monotonic()))

    def _keep_house(self) -> None:
        now_s = time.monotonic()
        self._house_due_s = now_s + _HOUSE_S
        news = self._presence.refresh(len(self._load), self.counters, now_s=now_s)
        if news is not None and not self._intake.closed:
            self._sender.publish(news)
        self._drops.tell(self.counters)
        self.counters |= self._worker.keep_house(now_s=self._now_s())

    def _look(self) -> Vitals:
        return Vitals(
            beat_s=time.monotonic(),
            broker=self._broker,
            stopping=self._intake.closed,
            keys_end_s=self._worker.keys_end_s,
            lanes=tuple(self._load.lanes(self._engines.waiting())),
            counters=dict(self.counters),
        )
