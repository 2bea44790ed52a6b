"""Carries parcels to the broker, and knows who is listening.

A parcel goes out at once, and again with growing, jittered pauses until its row ends. What the
broker acknowledges only frees room for the next: it proves nothing.
"""

import json
import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from agent.store.outbox import Outbox, Parcel
from broker.wire.errors import BrokerUnavailableError
from broker.wire.link import refusal
from broker.wire.session import (
    FAILURE,
    IN_FLIGHT,
    NO_MATCHING_SUBSCRIBERS,
    Acknowledged,
    Breached,
    Message,
    Offline,
    SubscriptionRefused,
)
from broker.wire.topics import Route, is_worker_of

_LONGEST_PAUSE_S = 30.0
_MOST_WAITING = 512  # sent and not answered: half of what a broker keeps for a worker
_DOUBLINGS = 16  # of the first pause; a float holds no more than 1023, which six hours reach
_UNANSWERED = "no answer in time"
_KEYLESS = "the pool's keys are over, and no new ones came"
_MOST_WORKERS = 1_000  # that are kept in mind: presences are signed by nobody

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Courier:
    """The sending half of the loop. Owned by it, used by nobody else."""

    route: Route
    outbox: Outbox
    publish: Callable[[Message], int]
    now_s: Callable[[], float]
    resend_s: float
    counters: Counter[str]
    fresh: Callable[[Parcel], Parcel | None] = lambda parcel: parcel  # None: no key to seal it to
    _window: int = 0  # 0: offline
    _in_flight: dict[int, Parcel] = field(default_factory=dict)
    _waiting: dict[UUID, float] = field(default_factory=dict)  # sent -> when it is due again
    _backlog: bool = False  # more is due than was sent
    _workers: set[str] = field(default_factory=set)
    _trouble: str = "the broker cannot be reached"
    _deaf: str = ""  # why no reply can come, though the broker takes questions
    _keyless: str = ""  # why a question cannot be sealed again
    _hurry_s: float = 0.0  # Unix time: a worker that comes before this is no reason for haste

    @property
    def is_online(self) -> bool:
        """Whether the broker is there."""
        return self._window > 0

    @property
    def reason(self) -> str:
        """Why a question that waits has no answer, in words."""
        if self._trouble or self._deaf or self._keyless:
            return self._trouble or self._deaf or self._keyless
        return _UNANSWERED if self._workers else "no worker is listening"

    def hear(self, news: Acknowledged | Offline | SubscriptionRefused | Breached) -> None:
        """What the broker does, or no longer does."""
        match news:
            case Acknowledged():
                self.acknowledged(news)
            case Offline(reason, refused):
                _log.warning("offline: %s", reason)
                if refused:
                    self.counters["refused_by_broker"] += 1
                self.offline(reason)
            case SubscriptionRefused() | Breached():
                _log.warning("the broker: %s", news)
                self.counters[news.counter] += 1
        if isinstance(news, SubscriptionRefused) and news.subscription == self.route.answer:
            self._deaf = f"the broker brings no answers: {refusal(news.code)}"

    def online(self, receive_maximum: int) -> None:
        """The broker is there, and takes so many publishes at once."""
        self._window, self._trouble, self._deaf = min(IN_FLIGHT, receive_maximum), "", ""
        self._in_flight.clear()
        self._waiting.clear()
        self._workers.clear()  # the retained presences come again

    def offline(self, reason: str) -> None:
        """The broker has gone; nothing is published until it is back."""
        self.counters["broker_losses" if self._window else "broker_failures"] += 1
        self._window, self._trouble = 0, reason
        self._in_flight.clear()
        self._waiting.clear()

    def send(self, parcel: Parcel, wait_s: float = 0.0) -> None:
        """Publish a new parcel now, or after a wait; if that is not possible, it stays due."""
        now_s = self.now_s()
        if wait_s:
            self.counters["held_back"] += 1
            self.outbox.hold(parcel.ticket, now_s + wait_s)
        elif not self._backlog and len(self._waiting) < _MOST_WAITING and self._publish(parcel):
            self._waiting[parcel.ticket] = now_s + self.resend_s
        else:
            self._backlog = True
            self.outbox.unsent(parcel.ticket)
            self._refill()  # by rank: what has waited is not passed by

    def release(self) -> None:
        """Nothing is a reason to wait any more: what was held back goes out."""
        if self.outbox:
            self.outbox.release(self.now_s())
            self.send_due()

    def send_due(self) -> None:
        """Publish what is due, as far as the windows reach."""
        now_s = self.now_s()
        self._waiting = {each: due_s for each, due_s in self._waiting.items() if due_s > now_s}
        room = min(self._window - len(self._in_flight), _MOST_WAITING - len(self._waiting))
        if room <= 0:
            return
        again: dict[UUID, float] = {}
        due = self.outbox.due(now_s, room)
        self._backlog = len(due) == room
        for stored in due:
            parcel = self.fresh(stored)
            self._keyless = "" if parcel else _KEYLESS
            if parcel and not self._publish(parcel):
                break
            if parcel is None:
                self.counters["unsealable"] += 1
            else:
                self.counters["resealed"] += parcel is not stored
                self.counters["resends"] += stored.attempts > 0
            again[stored.ticket] = now_s + self._pause_s(stored.attempts)
        if again:
            self._waiting |= again
            self.outbox.resend_at(again.items())

    def due_in_s(self) -> float:
        """Seconds until something that was sent is to be sent again."""
        return min(self._waiting.values(), default=math.inf) - self.now_s()

    def answered(self, tickets: Sequence[UUID]) -> None:
        """These questions have ended, which makes room for others."""
        for ticket in tickets:
            self._waiting.pop(ticket, None)
        self._refill()

    def acknowledged(self, event: Acknowledged) -> None:
        """The broker has taken a publish, or refused it."""
        parcel = self._in_flight.pop(event.mid, None)
        if parcel is not None and self._window:
            self._trouble = ""
        if event.code >= FAILURE:
            self.counters["refused_by_broker"] += 1
            self._trouble = f"the broker refused the question: {refusal(event.code)}"
        elif event.code == NO_MATCHING_SUBSCRIBERS and parcel is not None:
            self.counters["nobody_listened"] += 1
        self._refill()

    def heard_worker(self, topic: str, presence: bytes) -> None:
        """A worker's presence has changed. A hint, for words and for haste, never for trust."""
        if not is_worker_of(self.route, topic):
            self.counters["messages_strange"] += 1
            return
        online = _says_online(presence)
        if online is None:
            self.counters["presences_unreadable"] += 1
        if not online:
            self._workers.discard(topic)
        elif not self._workers:
            self.counters["workers_came"] += 1
            self._hurry()
            self._workers.add(topic)
        elif len(self._workers) < _MOST_WORKERS:
            self._workers.add(topic)

    def _hurry(self) -> None:
        now_s = self.now_s()
        if now_s >= self._hurry_s:  # one that comes and goes all the time is no reason to
            self._hurry_s = now_s + self.resend_s
            self._waiting.clear()
            self.outbox.hurry(now_s)

    def _refill(self) -> None:
        """Send again once half of what was full is free: one look into the outbox for many."""
        free = len(self._in_flight) <= self._window // 2
        if self._window and self._backlog and free and len(self._waiting) <= _MOST_WAITING // 2:
            self.send_due()

    def _publish(self, parcel: Parcel) -> bool:
        if len(self._in_flight) >= self._window:
            return False
        message = Message(
            self.route.ask,
            parcel.envelope,
            correlation=parcel.ticket.bytes,
            answer_topic=self.route.answer,
            expiry_s=max(1, int(parcel.deadline_s - self.now_s())),
        )
        try:
            self._in_flight[self.publish(message)] = parcel
        except BrokerUnavailableError:
            return False
        self.counters["sends"] += 1
        self.counters["bytes_out"] += len(parcel.envelope)
        return True

    def _pause_s(self, attempts: int) -> float:
        doubled = 2 ** min(attempts, _DOUBLINGS)
        longest_s = min(self.resend_s * doubled, _LONGEST_PAUSE_S)
        return random.uniform(longest_s / 2, longest_s)  # noqa: S311 - jitter, not a secret


def _says_online(presence: bytes) -> bool | None:
    """What a presence says; None: nothing that can be read. Who has gone leaves the empty one."""
    if not presence:
        return False
    try:
        return json.loads(presence)["online"] is True
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
