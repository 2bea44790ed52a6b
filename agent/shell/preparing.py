"""A package that was assembled proves itself, on a thread of its own: one at a time.

ready --thread: plan, new engine child, self-test--> Proven
`-> Unfit --> quarantined, the old one runs
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Final

from agent.shell.workshop import Proven, Tight, Unfit, Workshop
from agent.update.book import Installed
from agent.update.slots import SlotStore
from agent.update.words import Ready
from broker.wire.update_report import State

_END_S: Final = 10.0  # for a self-test that was told to end

_log = logging.getLogger(__name__)

Tell = Callable[[Installed, State, str], None]  # what, how it stands, why
Count = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of a preparation, for the loop's queue."""

    number: int
    found: Proven | Tight | Unfit


class Preparing:
    """Prepares packages. Use from the loop's thread.

    Args:
        slots: What runs, and what is never to run again.
        workshop: Builds engines.
        post: The loop's queue.
        tell: Takes what the operator shall hear.
        count: Counts what happened.
    """

    def __init__(
        self,
        *,
        slots: SlotStore,
        workshop: Workshop,
        post: Callable[[Prepared], None],
        tell: Tell,
        count: Count,
    ) -> None:
        self._slots, self._workshop, self._post = slots, workshop, post
        self._tell, self._count = tell, count
        self._waiting: dict[str, Ready] = {}  # by package
        self._now: Ready | None = None
        self._number = 0  # of preparations: one that was called off is known by it
        self._thread: Thread | None = None
        self._found: Proven | Tight | Unfit | None = None  # on its way through the queue

    def ready(self, ready: Ready) -> None:
        """A package was assembled: let it prove itself."""
        installed = ready.installed
        if self._now is not None:
            if self._now.installed != installed:
                self._waiting[installed.package] = ready
            return
        try:
            bad = self._slots.badness(installed.digest)
            may = not bad and self._slots.attempt(installed.digest)
        except OSError as error:
            self._tell(installed, "failed", f"nothing can be noted on the disk: {error.strerror}")
            return
        if not may:
            self._tell(installed, "failed", self._slots.badness(installed.digest))
            return
        self._tell(installed, "testing", "")
        self._number += 1
        self._now = ready
        arguments = (self._number, ready)
        self._thread = Thread(target=self._prepare, args=arguments, name="self-test", daemon=True)
        self._thread.start()

    @property
    def digests(self) -> set[str]:
        """What is being tested, and what waits for it."""
        all_ = [*self._waiting.values(), *([] if self._now is None else [self._now])]
        return {each.installed.digest for each in all_}

    def done(self, event: Prepared) -> tuple[Ready, Proven] | None:
        """What came of it; None: it did not prove itself, or was called off."""
        ready, found, self._found = self._now, event.found, None
        if event.number != self._number or ready is None:
            _end(found)
            return None
        if isinstance(found, Tight):
            self._count("updates_tight")
            found = self._workshop.prepare_alone(found)
        self._now = None
        if isinstance(found, Unfit):
            self.refuse(found)
            return None
        return ready, found

    def next(self) -> None:
        """Go on with what waits."""
        if self._waiting and self._now is None:
            self.ready(self._waiting.pop(next(iter(self._waiting))))

    def call_off(self, package: str, release: int, reason: str) -> None:
        """A release is not wanted any more."""
        waits, ready = self._waiting.get(package), self._now
        if waits is not None and waits.installed.release == release:
            del self._waiting[package]
        if ready is not None and ready.installed.is_of(package, release):
            self._number += 1  # what comes of it is thrown away
            self._now = None
            self.refuse(Unfit(installed=ready.installed, reason=reason, condemned=False))
            self._tell(ready.installed, "stopped", reason)

    def refuse(self, unfit: Unfit) -> None:
        """Note that a package does not get to run."""
        _log.warning("%s is not taken: %s", unfit.installed.package, unfit.reason)
        try:
            if unfit.condemned:
                self._slots.condemn(unfit.installed.digest, unfit.reason)
            else:
                self._slots.forgive(unfit.installed.digest)
        except OSError as error:
            _log.error("it is tested again at the next start: %s", error)
        self._count("updates_refused")
        self._tell(unfit.installed, "failed", unfit.reason)

    def stop(self) -> None:
        """The agent ends: so does what is being tested."""
        if self._thread is not None:
            self._workshop.give_up()
            self._thread.join(_END_S)
            _end(self._found)

    def _prepare(self, number: int, ready: Ready) -> None:
        try:
            found = self._workshop.prepare(ready)
        except Exception as error:  # noqa: BLE001 - the outermost place of a thread
            _log.error("preparing %s: %s", ready.installed.package, type(error).__name__)
            reason = f"it could not be prepared: {type(error).__name__}"
            found = Unfit(installed=ready.installed, reason=reason, condemned=False)
        self._found = found
        self._post(Prepared(number, found))


def _end(found: Proven | Tight | Unfit | None) -> None:
    if isinstance(found, Proven):
        for engine in found.engines:
            engine.stop()
