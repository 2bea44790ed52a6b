"""Carries parcels to the broker, and knows who is listening.

A parcel goes out at once, and again with growing, jittered pauses until its row ends. What the
broker acknowledges only frees room for the next: it proves nothing.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.store.outbox import Outbox, Parcel
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import FAILURE, IN_FLIGHT, NO_MATCHING_SUBSCRIBERS, Acknowledged, Message
from broker.wire.topics import Route

_LONGEST_PAUSE_S = 30.0
_DOUBLINGS = 16  # of the first pause; a float holds no more than 1023, which six hours reach
_UNANSWERED = "no answer in time"


@dataclass(slots=True, kw_only=True)
class Courier:
    """The sending half of the loop. Owned by it, used by nobody else."""

    route: Route
    outbox: Outbox
    publish: Callable[[Message], int]
    now_s: Callable[[], float]
    resend_s: float
    counters: Counter[str]
    _window: int = 0  # 0: offline
    _in_flight: dict[int, Parcel] = field(default_factory=dict)
    _workers: set[str] = field(default_factory=set)
    _trouble: str = "the broker cannot be reached"

    @property
    def reason(self) -> str:
        """Why a question that waits has no answer, in words."""
        if self._trouble:
            return self._trouble
        return _UNANSWERED if self._workers else "no worker is listening"

    def online(self, receive_maximum: int) -> None:
        """The broker is there, and takes so many publishes at once."""
        self._window, self._trouble = min(IN_FLIGHT, receive_maximum), ""
        self._in_flight.clear()
        self._workers.clear()  # the retained presences come again

    def offline(self, reason: str) -> None:
        """The broker has gone; nothing is published until it is back."""
        self.counters["broker_losses" if self._window else "broker_failures"] += 1
        self._window, self._trouble = 0, reason
        self._in_flight.clear()

    def send(self, parcel: Parcel) -> None:
        """Publish a new parcel now if that is possible; if not, it stays due."""
        if not self._publish(parcel):
            self.outbox.postpone(parcel.ticket, self.now_s())

    def send_due(self) -> None:
        """Publish what is due, as far as the window reaches."""
        room = self._window - len(self._in_flight)
        if room <= 0:
            return
        now_s = self.now_s()
        for parcel in self.outbox.due(now_s, room):
            if not self._publish(parcel):
                return
            self.counters["resends"] += parcel.attempts > 1
            self.outbox.resend_at(parcel.ticket, now_s + self._pause_s(parcel.attempts))

    def acknowledged(self, event: Acknowledged) -> None:
        """The broker has taken a publish, or refused it."""
        parcel = self._in_flight.pop(event.mid, None)
        if parcel is not None and self._window:
            self._trouble = ""
        if event.code >= FAILURE:
            self.counters["refused_by_broker"] += 1
            self._trouble = f"the broker refused the question, code {event.code:#x}"
        elif event.code == NO_MATCHING_SUBSCRIBERS and parcel is not None:
            self.counters["nobody_listened"] += 1
        if self._window and self.outbox and len(self._in_flight) == self._window - 1:
            self.send_due()  # the window was full until now

    def heard_worker(self, topic: str, presence: bytes) -> None:
        """A worker's presence has changed. A hint, for words and for haste, never for trust."""
        try:
            online = json.loads(presence)["online"] is True
        except (ValueError, KeyError, TypeError, RecursionError):
            online = False
        if online and not self._workers:
            self.outbox.hurry(self.now_s())
        (self._workers.add if online else self._workers.discard)(topic)

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
        return True

    def _pause_s(self, attempts: int) -> float:
        doubled = 2 ** min(attempts, _DOUBLINGS)
        longest_s = min(self.resend_s * doubled, _LONGEST_PAUSE_S)
        return random.uniform(longest_s / 2, longest_s)  # noqa: S311 - jitter, not a secret
