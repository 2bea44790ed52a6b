"""Hears a fleet's presences all day, and serves them as metrics. One loop; pages on threads.

broker --presences--> loop --> States --> GET /metrics, /healthz, /readyz
"""

import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from queue import Empty, SimpleQueue

from broker.pages import JSON, Look, Page
from broker.wire.link import Breached
from broker.wire.session import (
    Address,
    Event,
    Offline,
    Online,
    Received,
    Session,
    SubscriptionRefused,
)
from broker.wire.topics import DeviceId, FleetId, PoolId, device_state, every_worker
from firstline.watching.metrics import KIND, FleetMetrics
from firstline.watching.states import States

_BEAT_S = 1.0
_HANG_S = 30.0
_GOOD = "ok"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


class Exporter:
    """Hears until it is told to stop.

    Args:
        address: The broker, and who we are there.
        fleet: Whose presences; `+`: everybody's, where no access rules forbid it.
        states: Takes them.
    """

    def __init__(self, address: Address, *, fleet: FleetId, states: States) -> None:
        self._queue: SimpleQueue[Event | _Stop] = SimpleQueue()
        self._states = states
        subscriptions = [device_state(fleet, DeviceId("+")), every_worker(fleet, PoolId("+"))]
        self._session = Session(address, subscriptions=subscriptions, sink=self._queue.put)
        self._broker, self._beat_s = "not connected yet", time.monotonic()
        self._metrics = FleetMetrics(states, lambda: self._broker == _GOOD)

    def stop(self) -> None:
        """Have `run` return. May be called from a signal handler."""
        self._queue.put(_Stop())

    def run(self) -> None:
        """Hear until `stop`."""
        with self._session:
            while self._step():
                self._beat_s = time.monotonic()

    def pages(self) -> Mapping[str, Look]:
        """What to serve; each may be looked up on any thread."""
        return {
            "/metrics": lambda: Page(HTTPStatus.OK, KIND, self._metrics.page()),
            "/healthz": lambda: _page(loop=self._loop()),
            "/readyz": lambda: _page(loop=self._loop(), broker=self._broker),
        }

    def _loop(self) -> str:
        silent_s = time.monotonic() - self._beat_s
        return _GOOD if silent_s <= _HANG_S else f"silent for {silent_s:.0f} s"

    def _step(self) -> bool:
        with suppress(Empty):
            match self._queue.get(timeout=_BEAT_S):
                case Received(topic, payload, _, receipt):
                    self._states.hear(topic, payload)
                    self._session.ack(receipt)
                case Online():
                    self._broker = _GOOD
                    _log.info("online", extra={"event": "online"})
                case Offline(reason):
                    self._broker = reason
                    _log.warning("offline: %s", reason, extra={"event": "offline"})
                case SubscriptionRefused() as refused:
                    self._broker = str(refused)
                    _log.error("the broker: %s", refused, extra={"event": refused.counter})
                case Breached() as breached:
                    _log.warning("the broker: %s", breached, extra={"event": breached.counter})
                case _Stop():
                    return False
                case _:
                    pass
        return True


def _page(**checks: str) -> Page:
    passed = all(state == _GOOD for state in checks.values())
    status = HTTPStatus.OK if passed else HTTPStatus.SERVICE_UNAVAILABLE
    return Page(status, JSON, json.dumps({"ok": passed, "checks": checks}).encode() + b"\n")
