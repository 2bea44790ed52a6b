"""Updates, as the loop sees them: what it hears, what it is told, what it must do now and then.

retained timestamp.json --> updater, a process --> ready --> installer --> tasks from now on
`-- watch, unwatch, say: over the agent's one session
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from agent.models.pipe import Header
from agent.shell.ends import Wire
from agent.shell.installer import Installer
from agent.shell.listening import Listening
from agent.shell.preparing import Prepared, Tell
from agent.shell.updater import Updater, UpdaterEnded, UpdaterSaid
from agent.shell.updating import Tasks, UpdateEvent
from agent.task import Task
from agent.update.book import Installed
from agent.update.slots import SlotStore
from agent.update.telling import Telling
from agent.update.words import Begin, Damaged, Over, Ready, Stop, Told
from broker.wire.errors import BrokerUnavailableError, KeyFileError
from broker.wire.session import Message, Received
from broker.wire.topics import (
    DeviceId,
    FleetId,
    device_update,
    device_wants,
    parse_release_block,
    parse_release_metadata,
    release_metadata,
)
from broker.wire.update_report import Progress, State

_FIRST_PAUSE_S: Final = 30.0  # after an updater that failed; doubled each time
_DATED_S: Final = 3.0  # for a worker to tell the date; the same
_LONGEST_PAUSE_S: Final = 3600.0
_DOUBLINGS: Final = 12

_log = logging.getLogger(__name__)


class Updates:
    """The updater, the installer and the report.

    Args:
        fleet: Whose releases.
        device: Who we are.
        link: The session with the fleet's broker.
        slots: What runs, on disk.
        installer: Makes who switches and watches, given who takes what the operator shall hear.
        updater: Looks at what is released, and brings it.
        telling: What the operator hears.
        begin: What the updater must know.
        date: A question to which a worker answers with the date.
        counters: Everything that happened, by name.
    """

    def __init__(  # noqa: PLR0913 - all its parts, by name
        self,
        *,
        fleet: FleetId,
        device: DeviceId,
        link: Wire,
        slots: SlotStore,
        installer: Callable[[Tell], Installer],
        updater: Updater,
        telling: Telling,
        begin: Callable[[Tasks], Begin],
        date: Callable[[], Message],
        counters: Counter[str],
    ) -> None:
        self._timestamp = release_metadata(fleet, "timestamp.json")
        self._report, self._wants = device_update(fleet, device), device_wants(fleet, device)
        self._link, self._slots, self._installer = link, slots, installer(self.tell)
        self._updater, self._telling, self._begin, self._date = updater, telling, begin, date
        self._counters = counters
        self._listening = Listening(link, self._timestamp)
        self._heard = self._looked = b""  # digests of the timestamp that is, that was looked at
        self._next_s: float | None = None  # monotonic: when to look again; None: not by itself
        self._failures = self._expired = 0  # one after the other
        self._done = False  # the updater has had its last word
        self._installer.resume()

    def online(self) -> None:
        """See Updating."""
        self._telling.again()

    def hear(self, message: Received) -> bool:
        """See Updating."""
        topic = message.topic
        if not (parse_release_metadata(topic) or parse_release_block(topic)):
            return False
        self._updater.feed(topic, message.payload)
        if topic == self._timestamp and message.payload:
            heard = hashlib.sha256(message.payload).digest()
            if heard != self._heard and not self._failures:
                self._next_s = time.monotonic()
            self._heard = heard
        return True

    def take(self, event: UpdateEvent, tasks: Tasks) -> Tasks | None:
        """See Updating."""
        match event:
            case Prepared():
                return self._installer.prepared(event, tasks)
            case UpdaterEnded(code=code):
                if self._updater.ended(event):
                    self._listening.end()
                    if not self._done:
                        self._failed(f"it ended with code {code}")
            case UpdaterSaid(life, header, content) if life == self._updater.life:
                try:
                    return self._said(header, content)
                except ValueError as error:
                    self._counters["updater_strange"] += 1
                    _log.error("the updater says what we do not know: %s", error)
        return None

    def asked(self, task: Task, *, escalated: bool) -> Tasks | None:
        """See Updating."""
        return self._installer.asked(task, escalated=escalated)

    def tick(self, tasks: Tasks) -> Tasks | None:
        """See Updating."""
        due = self._next_s is not None and time.monotonic() >= self._next_s
        if due and self._heard and not self._updater.runs:
            self._start(tasks)
        new = self._installer.tick(tasks)
        self._publish()
        return new

    def reloaded(self) -> None:
        """See Updating."""
        self._installer.reloaded()
        if self._heard:
            self._next_s = time.monotonic()  # other groups, other packages

    def stop(self) -> None:
        """See Updating."""
        self._installer.stop()
        self._updater.stop()

    def tell(self, installed: Installed, state: State, reason: str) -> None:
        """Note what the installer says. What is quarantined may have a next best."""
        if self._slots.badness(installed.digest):
            self._next_s = time.monotonic()
        progress = Progress(
            package=installed.package,
            state=state,
            group=installed.group,
            release=installed.release,
            digest=installed.digest,
            reason=reason,
        )
        self._tell(progress)

    def _said(self, header: Header, content: bytes) -> Tasks | None:
        match header:
            case {"watch": list(topics)}:
                self._listening.watch(topics)
            case {"unwatch": list(topics)}:
                self._listening.unwatch(topics)
            case {"say": self._wants as topic}:
                self._say(Message(topic, content))
            case {"told": str(text)}:
                told = Told.read(text)
                self._tell(
                    Progress(**{name: getattr(told, name) for name in told.__struct_fields__})
                )
            case {"damaged": str(text)}:
                copies = Damaged.read(text).copies
                self._counters["update_floors_damaged"] += copies
                self._telling.damaged(copies)
            case {"ready": str(text)}:
                self._installer.ready(Ready.read(text))
            case {"stop": str(text)}:
                stop = Stop.read(text)
                return self._installer.stop_release(stop.package, stop.release, stop.reason)
            case {"over": str(text)}:
                self._over(Over.read(text))
            case _:
                raise ValueError(", ".join(header))
        return None

    def _start(self, tasks: Tasks) -> None:
        self._looked, self._next_s, self._done = self._heard, None, False
        try:
            begin = self._begin(tasks)
            keep = tuple(sorted({*begin.keep, *self._installer.holds}))
            self._updater.start(replace(begin, keep=keep))
            self._counters["updaters"] += 1
        except OSError as error:
            self._failed(f"it cannot be started: {error.strerror}")

    def _over(self, over: Over) -> None:
        self._done, self._failures = True, 0
        changed = self._heard != self._looked
        self._next_s = time.monotonic() + (0.0 if changed else over.again_s)
        self._expired = self._expired + 1 if over.expired else 0
        self._counters.update({f"update_{name}": count for name, count in over.counted.items()})
        if over.expired:
            self._ask_date()
        if over.refused:
            self._counters["updates_untrusted"] += 1
            _log.error("what is released is not taken: %s", over.refused)

    def _ask_date(self) -> None:
        """What is released looks over: it is, or our clock is ahead. A worker knows."""
        self._counters["updates_expired"] += 1
        self._next_s = time.monotonic() + _pause_s(_DATED_S, self._expired)
        try:
            self._say(self._date())
        except KeyFileError as error:
            _log.warning("no worker can be asked for the date: %s", error)

    def _failed(self, why: str) -> None:
        self._failures += 1
        pause_s = _pause_s(_FIRST_PAUSE_S, self._failures)
        self._next_s = time.monotonic() + pause_s
        self._counters["updaters_failed"] += 1
        _log.error("the updater: %s; again in %.0f s", why, pause_s)

    def _tell(self, progress: Progress) -> None:
        slots = self._slots.of(progress.package)
        running = slots.candidates[0].digest if slots.candidates else ""
        self._telling.tell(replace(progress, running=running))

    def _publish(self) -> None:
        report = self._telling.sealed()
        if report is not None and self._say(Message(self._report, report, retain=True)):
            self._telling.published()

    def _say(self, message: Message) -> bool:
        try:
            self._link.publish(message)
        except BrokerUnavailableError:  # a report is told again, a want is repeated
            return False
        return True


def _pause_s(first_s: float, times: int) -> float:
    return min(first_s * 2.0 ** min(times - 1, _DOUBLINGS), _LONGEST_PAUSE_S)
