"""From a package that is proven to one that runs and stays, or back. Owned by the loop.

    Proven --> between two questions: switch --> watched: errors, asked, time, crashes
    accepted <-- probe <-- its time is over ------'  `--> back, between two questions

Questions never wait for a self-test, unless both models do not fit into memory; then the old one
ends first, and those that come meanwhile wait in the loop's queue.
"""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from agent.models.model import ModelError
from agent.shell.preparing import Count, Prepared, Preparing, Tell
from agent.shell.workshop import Proven, Unfit, Workshop
from agent.task import Task
from agent.update.book import Bounds, Installed
from agent.update.health import Tally, failing
from agent.update.selftest import probe
from agent.update.slots import SlotStore
from agent.update.watched import Serving, Watched
from agent.update.words import Ready

_RETRY_S: Final = 30.0  # until settings that could not be read are read again

_log = logging.getLogger(__name__)

Tasks = Mapping[str, Task]


@dataclass(slots=True)
class _Watch:
    """A trial under way."""

    installed: Installed
    bounds: Bounds
    since_s: float  # monotonic
    earlier: Tally  # of the model before it
    before: object | None  # the workshop's snapshot; None: of an earlier life, or edited since


class Installer:
    """Switches, watches and goes back. Where tasks are returned, they are the ones from now on.

    Args:
        slots: What runs, on disk.
        workshop: Builds engines and tasks.
        preparing: Has packages prove themselves.
        tell: Takes what the operator shall hear.
        count: Counts what happened.
    """

    def __init__(
        self,
        *,
        slots: SlotStore,
        workshop: Workshop,
        preparing: Preparing,
        tell: Tell,
        count: Count,
    ) -> None:
        self._slots, self._workshop = slots, workshop
        self._preparing, self._tell, self._count = preparing, tell, count
        self._watches: dict[str, _Watch] = {}  # by package
        self._unread_s = 0.0  # monotonic: when to read the settings again; 0: no need

    def resume(self) -> None:
        """Watch on what was on trial when the agent ended."""
        for package, slots in self._slots.book.packages.items():
            if slots.trial is not None:
                installed, bounds = slots.trial.installed, slots.trial.bounds
                watch = _Watch(installed, bounds, time.monotonic(), Tally(), before=None)
                self._watches[package] = watch
                self._tell(installed, "watching", "")
            elif slots.current is not None:
                self._tell(slots.current, "done", "")

    def ready(self, ready: Ready) -> None:
        """A package was assembled: let it prove itself."""
        self._preparing.ready(ready)

    @property
    def holds(self) -> set[str]:
        """Digests of packages that are to prove themselves: their files must stay."""
        return self._preparing.digests

    def prepared(self, event: Prepared, tasks: Tasks) -> Tasks | None:
        """Switch to a package that has proven itself."""
        found = self._preparing.done(event)
        new = None if found is None else self._switch(*found, tasks)
        self._preparing.next()
        return new

    def stop_release(self, package: str, release: int, reason: str) -> Tasks | None:
        """The operator wants a release back; one that is proven stays."""
        self._preparing.call_off(package, release, reason)
        watch = self._watches.get(package)
        if watch is None or not watch.installed.is_of(package, release):
            return None
        return self._back(watch, reason, condemned=False)

    def asked(self, task: Task, *, escalated: bool) -> Tasks | None:
        """A question of a task was answered, or asked of the cloud."""
        if not isinstance(task.model, Watched):
            return None
        serving = task.model.serving
        serving.tally.asked += escalated
        watch = self._watches.get(serving.package)
        if watch is None:
            return self._replace(serving) if serving.tally.broken else None
        reason = failing(serving.tally, watch.bounds, watch.earlier)
        return self._back(watch, reason, condemned=True) if reason else None

    def tick(self, tasks: Tasks) -> Tasks | None:
        """See whether a trial is over."""
        with suppress(OSError):  # what the disk refused holds all the same, and is noted later
            self._slots.flush()
        now_s = time.monotonic()
        if self._unread_s and now_s >= self._unread_s:
            return self._rebuilt()
        for watch in self._watches.values():
            if now_s >= watch.since_s + watch.bounds.watch_s:
                return self._judge(watch, tasks)
        return None

    def stop(self) -> None:
        """The agent ends."""
        self._preparing.stop()

    def reloaded(self) -> None:
        """The settings have changed: the tasks of before are not those to go back to."""
        for watch in self._watches.values():
            watch.before = None

    def _switch(self, ready: Ready, proven: Proven, tasks: Tasks) -> Tasks | None:
        installed, before = proven.installed, self._workshop.snapshot()
        new = self._workshop.adopt(proven)
        if new is None:  # edited meanwhile: once more, with the settings of now
            self._preparing.ready(ready)
            return None
        try:
            self._slots.begin(installed, ready.bounds)
        except OSError as error:  # what cannot be noted must not run: a crash would forget it
            self._workshop.restore(installed.package, before)
            self._workshop.retire()
            reason = f"the switch cannot be noted on the disk: {error.strerror}"
            self._preparing.refuse(Unfit(installed=installed, reason=reason, condemned=False))
            return None
        old = self._watches.get(installed.package)  # replaced before it was proven
        watch = _Watch(installed, ready.bounds, time.monotonic(), _tally(installed, tasks), before)
        if old is not None:
            watch.earlier, watch.before = old.earlier, old.before
        self._watches[installed.package] = watch
        self._workshop.retire()
        self._count("updates_switched")
        _log.info("%s %s answers from now on", installed.package, installed.version)
        self._tell(installed, "watching", "")
        return new

    def _judge(self, watch: _Watch, tasks: Tasks) -> Tasks | None:
        """Its time of trial is over: it must still answer."""
        for task in tasks.values():
            model = task.model
            if isinstance(model, Watched) and model.serving.package == watch.installed.package:
                try:
                    if model.serving.case is not None:
                        probe(model.engine, model.serving.case)
                except ModelError as error:
                    return self._back(watch, f"it answers no more: {error}", condemned=True)
        try:
            self._slots.accept(watch.installed.package)
        except OSError as error:  # it runs on, on trial
            watch.since_s = time.monotonic()
            _log.error("%s: its trial goes on: %s", watch.installed.package, error)
            return None
        del self._watches[watch.installed.package]
        self._workshop.retire()
        self._count("updates_done")
        self._tell(watch.installed, "done", "")
        return None

    def _back(self, watch: _Watch, reason: str, *, condemned: bool) -> Tasks | None:
        """The package from before answers again: first in memory, for that cannot fail."""
        package = watch.installed.package
        del self._watches[package]
        _log.error("%s %s is taken back: %s", package, watch.installed.version, reason)
        try:
            if condemned:
                self._slots.reject(package, reason)
            else:
                self._slots.withdraw(package)
        except OSError as error:  # the next start finds it on trial, and it fails again
            _log.error("that cannot be noted: %s", error)
        self._count("updates_rolled_back")
        self._tell(watch.installed, "failed" if condemned else "stopped", reason)
        if watch.before is None:
            return self._rebuilt()
        new = self._workshop.restore(package, watch.before)
        self._workshop.retire()
        return new

    def _replace(self, serving: Serving) -> Tasks | None:
        """What runs was proven, and its files are no more what they were."""
        current = self._slots.of(serving.package).current
        if current is None or current.digest != serving.digest:  # the factory's: nothing is before
            return None
        reason = serving.tally.broken
        _log.error("%s can run no more: %s", serving.package, reason)
        self._count("updates_broken")
        try:
            self._slots.drop(serving.package, serving.digest, reason)
        except OSError as error:
            _log.error("that cannot be noted: %s", error)
        self._tell(current, "failed", reason)
        return self._rebuilt()

    def _rebuilt(self) -> Tasks | None:
        new = self._workshop.rebuild()
        self._unread_s = time.monotonic() + _RETRY_S if new is None else 0.0
        if new is not None:
            self._workshop.retire()
        return new


def _tally(installed: Installed, tasks: Tasks) -> Tally:
    models = (task.model for task in tasks.values())
    served = (each.serving for each in models if isinstance(each, Watched))
    return next((each.tally for each in served if each.package == installed.package), Tally())
