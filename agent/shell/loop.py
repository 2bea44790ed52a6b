"""The one loop: takes events out of one queue, acts, commits, acknowledges.

    inputs, MQTT session, settings watcher --put--> queue --> Loop --> pipeline, courier, outputs

Everything that has a state is touched by this loop's thread only.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from queue import SimpleQueue

from agent.core.errors import FinderError, InputError
from agent.pipeline import Pipeline
from agent.shell.batch import Batch
from agent.shell.courier import Courier
from agent.shell.ends import Input, Link
from agent.shell.events import Arrived, Exhausted, SettingsChanged, Stop, TasksChanged, ticket_of
from agent.shell.guard import guarded
from agent.shell.jumps import look_at_the_clock
from agent.shell.news import hear
from agent.shell.preparing import Prepared
from agent.shell.presence import Presence
from agent.shell.replies import finish
from agent.shell.taking import take
from agent.shell.updater import UpdaterEnded, UpdaterSaid
from agent.shell.updating import NO_UPDATES, UpdateEvent, Updating
from agent.stages import Raw
from agent.store.clock import DeviceClock
from agent.store.outbox import Parcel
from agent.task import Task
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import Event, Message, Online, Received

_TICK_S = 0.5
_SHORTEST_S = 0.02  # until a question is to be sent again
_RESCAN_S = 30.0
_FIRST_SCAN_S = 2.0  # what was still being written when the agent started

AgentEvent = Event | Arrived | Exhausted | SettingsChanged | TasksChanged | UpdateEvent | Stop

_log = logging.getLogger(__name__)


class Loop:
    """Runs until `Stop`, or until inputs that have an end are all answered.

    Args:
        queue: Where inputs and the session put their events.
        pipeline: What is done with them.
        courier: What carries questions away.
        link: The session with the fleet's broker.
        clock: The device's own time.
        presence: What the fleet may know of this device.
        inputs: Started and stopped by the loop.
        reload: Reads the settings again; None if they are not usable.
        counters: Everything that happened, by name.
        duties: What else is done at each tick, in this order.
        updates: New models.
    """

    def __init__(  # noqa: PLR0913 - all its parts, by name
        self,
        *,
        queue: SimpleQueue[AgentEvent],
        pipeline: Pipeline,
        courier: Courier,
        link: Link,
        clock: DeviceClock,
        presence: Presence,
        inputs: Sequence[Input],
        reload: Callable[[], Mapping[str, Task] | None],
        counters: Counter[str],
        duties: Sequence[Callable[[], None]] = (),
        updates: Updating = NO_UPDATES,
    ) -> None:
        self._queue = queue
        self._pipeline = pipeline
        self._courier = courier
        self._link = link
        self._clock = clock
        self._presence = presence
        self._inputs = inputs
        self._reload = reload
        self._counters = counters
        self._duties = duties
        self._updates = updates
        self._batch = Batch(pipeline.post.outbox.commits)
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
            self._updates.stop()
            for source in self._inputs:
                source.stop()

    def _serve(self) -> None:
        next_tick_s = time.monotonic()
        while self._running:
            wait_s = next_tick_s - time.monotonic()
            events = take(self._queue, wait_s, Arrived)
            if events:
                self._guarded(self._look_at_the_clock)
                self._handle_all(events)
                if self._queue.empty() or self._batch.is_full or not self._running:
                    self._guarded(lambda: self._batch.end(self._guarded))
                    self._guarded(self._pipeline.post.outbox.tidy)  # else the next answers do
            if not events or wait_s < -_TICK_S:  # events without a pause must not stop the clock
                next_tick_s = self._tick()

    def _handle_all(self, events: list[AgentEvent]) -> None:
        replies: list[Received] = []
        for event in events:
            if isinstance(event, Received) and event.topic == self._courier.route.answer:
                replies.append(event)
            elif self._running:
                self._guarded(lambda event=event: self._handle(event))  # type: ignore[misc]
        self._guarded(lambda: self._finish(replies))
        for event in events:  # in the order of arrival: MQTT 5.0, section 4.6
            if isinstance(event, Received):  # what failed comes again: it is sent until it ends
                self._link.ack(event.receipt)

    def _guarded(self, action: Callable[[], None]) -> None:
        guarded(action, self._counters)

    def _handle(self, event: AgentEvent) -> None:
        self._quiet = False
        match event:
            case Arrived():
                self._ask(event)
            case Received():
                if not self._updates.hear(event):
                    hear(event, self._pipeline, self._courier, self._presence, self._counters)
            case Online(receive_maximum):
                _log.info("online")
                self._courier.online(receive_maximum)
                self._tell(self._presence.announce)
                self._updates.online()
                self._courier.send_due()
            case Exhausted():
                self._endless -= 1
            case SettingsChanged():
                self._change_settings()
            case TasksChanged(build):
                self._do_otherwise(build())
            case UpdaterSaid() | UpdaterEnded() | Prepared():
                self._do_otherwise(self._updates.take(event, self._pipeline.tasks))
            case Stop():
                self._running = False
            case _:
                self._courier.hear(event)

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
            raw = Raw(arrived.task, arrived.source, data, arrived.conversation)
            with self._batch.asking(alone=self._queue.empty()):
                parcel = self._pipeline.ask(ticket_of(arrived, data), raw)
        except (InputError, FinderError) as error:
            self._counters["rejected"] += 1
            self._counters["finder_failures"] += isinstance(error, FinderError)
            if isinstance(error, FinderError):
                _log.error("an input of task %s is refused: %s", task.name, error)
            arrived.refused(error)
            return
        self._counters["escalated"] += parcel is not None
        self._batch.then(partial(self._stored, arrived, task, parcel))

    def _stored(self, arrived: Arrived, task: Task, parcel: Parcel | None) -> None:
        if parcel is not None:
            self._courier.send(parcel, task.wait_s)
        arrived.taken()
        self._do_otherwise(self._updates.asked(task, escalated=parcel is not None))

    def _finish(self, replies: list[Received]) -> None:
        if replies:
            self._quiet = False
            self._courier.answered(finish(replies, self._pipeline, self._counters))

    def _look_at_the_clock(self) -> None:
        look_at_the_clock(self._clock, self._counters)

    def _tick(self) -> float:
        self._guarded(self._look_at_the_clock)
        if self._pipeline.post.outbox:
            for duty in (self._expire, self._courier.send_due, self._pipeline.redeliver):
                self._guarded(duty)
        elif not self._endless and self._inputs:
            self._running = False  # all inputs have ended, all questions are answered
        usual = (self._flush, self._scan, self._pipeline.rest, self._update)
        self._guarded(lambda: self._tell(self._presence.refresh))
        for duty in (*usual, *self._duties):
            self._guarded(duty)
        return time.monotonic() + min(_TICK_S, max(_SHORTEST_S, self._courier.due_in_s()))

    def _flush(self) -> None:
        outbox, quiet, self._quiet = self._pipeline.post.outbox, self._quiet, True
        (outbox.flush if quiet else outbox.tidy)()  # else a later tick, or the next question

    def _expire(self) -> None:
        while expired := self._pipeline.expire(self._courier.reason):
            self._counters["expired"] += expired

    def _scan(self) -> None:
        if time.monotonic() >= self._next_scan_s:
            self._next_scan_s = time.monotonic() + _RESCAN_S
            for source in self._inputs:
                source.scan()

    def _tell(self, how: Callable[[Callable[[Message], int]], None]) -> None:
        try:
            how(self._link.publish)
        except BrokerUnavailableError:  # it has gone again; the next time will be told
            self._counters["presence_unsent"] += 1

    def _change_settings(self) -> None:
        tasks = self._reload()
        if tasks is None:
            self._counters["settings_refused"] += 1
            return
        self._do_otherwise(tasks)
        self._updates.reloaded()
        self._counters["settings_reloaded"] += 1

    def _update(self) -> None:
        self._do_otherwise(self._updates.tick(self._pipeline.tasks))

    def _do_otherwise(self, tasks: Mapping[str, Task] | None) -> None:
        if tasks is not None:
            self._pipeline = replace(self._pipeline, tasks=tasks)
            if not any(task.wait_s for task in tasks.values()):
                self._courier.release()
