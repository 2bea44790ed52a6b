"""The one loop: takes events out of one queue, acts, commits, acknowledges.

    inputs, MQTT session, settings watcher --put--> queue --> Loop --> pipeline, courier, outputs

Everything that has a state is touched by this loop's thread only.
"""

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Protocol
from uuid import UUID

from agent.core.errors import FinderError, InputError
from agent.pipeline import Pipeline
from agent.shell.courier import Courier
from agent.shell.events import Arrived, Exhausted, SettingsChanged, Stop, ticket_of
from agent.shell.presence import Presence
from agent.stages import Raw
from agent.store.errors import OutboxFullError, StoreError, UnknownTicketError
from agent.task import Task
from broker.wire.errors import BrokerUnavailableError, WireError
from broker.wire.session import Acknowledged, Event, Message, Offline, Online, Receipt, Received

_TICK_S = 0.5
_RESCAN_S = 30.0
_FIRST_SCAN_S = 2.0  # what was still being written when the agent started
_TICKET_BYTES = 16

AgentEvent = Event | Arrived | Exhausted | SettingsChanged | Stop

_log = logging.getLogger(__name__)


class Input(Protocol):
    """A source of questions, on threads of its own."""

    def start(self) -> None:
        """Begin to put events into the loop's queue."""

    def scan(self) -> None:
        """Look for what went unnoticed."""

    def stop(self) -> None:
        """End."""


class Link(Protocol):
    """The connection to the fleet's broker."""

    def publish(self, message: Message) -> int:
        """See broker.wire.session.Session."""

    def ack(self, receipt: Receipt) -> None:
        """See broker.wire.session.Session."""


class Loop:
    """Runs until `Stop`, or until inputs that have an end are all answered.

    Args:
        queue: Where inputs and the session put their events.
        pipeline: What is done with them.
        courier: What carries questions away.
        link: The session with the fleet's broker.
        presence: What the fleet may know of this device.
        inputs: Started and stopped by the loop.
        reload: Reads the settings again; None if they are not usable.
        counters: Everything that happened, by name.
    """

    def __init__(  # noqa: PLR0913 - all its parts, by name
        self,
        *,
        queue: SimpleQueue[AgentEvent],
        pipeline: Pipeline,
        courier: Courier,
        link: Link,
        presence: Presence,
        inputs: Sequence[Input],
        reload: Callable[[], dict[str, Task] | None],
        counters: Counter[str],
    ) -> None:
        self._queue = queue
        self._pipeline = pipeline
        self._courier = courier
        self._link = link
        self._presence = presence
        self._inputs = inputs
        self._reload = reload
        self._counters = counters
        self._running = True
        self._quiet = True  # nothing has happened since the last tick
        self._endless = len(inputs)  # inputs that have not ended
        self._next_scan_s = time.monotonic() + _FIRST_SCAN_S

    def run(self) -> None:
        """Serve."""
        for source in self._inputs:
            source.start()
        try:
            self._serve()
        finally:
            for source in self._inputs:
                source.stop()

    def _serve(self) -> None:
        next_tick_s = time.monotonic()
        while self._running:
            wait_s = next_tick_s - time.monotonic()
            try:
                event = self._queue.get(timeout=wait_s) if wait_s > 0 else self._queue.get_nowait()
            except Empty:
                next_tick_s = self._tick()
                continue
            self._guarded(lambda event=event: self._handle(event))  # type: ignore[misc]
            if wait_s < -_TICK_S:  # events without a pause must not stop the clock
                next_tick_s = self._tick()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OutboxFullError as error:  # what could not be noted is done again when there is room
            self._counters["outbox_full"] += 1
            _log.warning("%s", error)
        except Exception as error:  # noqa: BLE001 - one question must not end all others
            self._counters["unexpected_errors"] += 1
            # Where it was, without its message, which may hold what was asked.
            trace = "".join(traceback.format_tb(error.__traceback__))
            _log.error("%s; the agent goes on\n%s", type(error).__name__, trace)

    def _handle(self, event: AgentEvent) -> None:
        self._quiet = False
        match event:
            case Arrived():
                self._ask(event)
            case Received():
                try:
                    self._hear(event)
                finally:  # what fails here comes again: the question is sent until it has a reply
                    self._link.ack(event.receipt)
            case Acknowledged():
                self._courier.acknowledged(event)
            case Online(receive_maximum):
                _log.info("online")
                self._courier.online(receive_maximum)
                self._presence.announce(self._link.publish)
                self._courier.send_due()
            case Offline(reason):
                _log.warning("offline: %s", reason)
                self._courier.offline(reason)
            case Exhausted():
                self._endless -= 1
            case SettingsChanged():
                self._change_settings()
            case Stop():
                self._running = False

    def _ask(self, arrived: Arrived) -> None:
        task = self._pipeline.tasks.get(arrived.task)
        if task is None:
            self._counters["inputs_without_task"] += 1
            return
        try:
            data = arrived.read(task.expect.max_bytes + 1)
            if data is None:  # it was taken already: seen twice
                return
            self._counters["asked"] += 1
            raw = Raw(arrived.task, arrived.source, data)
            parcel = self._pipeline.ask(ticket_of(arrived, data), raw)
        except (InputError, FinderError) as error:
            self._counters["rejected"] += 1
            arrived.refused(error)
            return
        if parcel is not None:
            self._courier.send(parcel)
            self._counters["escalated"] += 1
        arrived.taken()

    def _hear(self, message: Received) -> None:
        if message.topic == self._courier.route.answer:
            self._finish(message)
        else:
            self._courier.heard_worker(message.topic, message.payload)

    def _finish(self, message: Received) -> None:
        if len(message.correlation) != _TICKET_BYTES:
            self._counters["replies_refused"] += 1
            return
        ticket = UUID(bytes=message.correlation)
        try:
            self._pipeline.finish(ticket, message.payload)
        except WireError as error:
            self._counters["replies_refused"] += 1
            _log.warning("%s: reply refused: %s", ticket, error)
        except UnknownTicketError:
            self._counters["replies_repeated"] += 1
        except StoreError as error:
            self._counters["rows_unreadable"] += 1
            _log.warning("%s: %s", ticket, error)

    def _tick(self) -> float:
        if self._pipeline.post.outbox:
            for duty in (self._expire, self._courier.send_due, self._pipeline.redeliver):
                self._guarded(duty)
        elif not self._endless and self._inputs:
            self._running = False  # all inputs have ended, all questions are answered
        for duty in (self._flush, self._scan, self._refresh, self._pipeline.rest):
            self._guarded(duty)
        return time.monotonic() + _TICK_S

    def _flush(self) -> None:
        if self._quiet:  # else the next question brings all before it to the disk, or a later tick
            self._pipeline.post.outbox.flush()
        self._quiet = True

    def _expire(self) -> None:
        while expired := self._pipeline.expire(self._courier.reason):
            self._counters["expired"] += expired

    def _scan(self) -> None:
        if time.monotonic() >= self._next_scan_s:
            self._next_scan_s = time.monotonic() + _RESCAN_S
            for source in self._inputs:
                source.scan()

    def _refresh(self) -> None:
        try:
            self._presence.refresh(self._link.publish)
        except BrokerUnavailableError:
            self._counters["presence_unsent"] += 1

    def _change_settings(self) -> None:
        tasks = self._reload()
        if tasks is None:
            self._counters["settings_refused"] += 1
            return
        self._pipeline = replace(self._pipeline, tasks=tasks)
        self._counters["settings_reloaded"] += 1
