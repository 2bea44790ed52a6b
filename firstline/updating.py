"""Puts the updates of a board together: slots, workshop, installer, updater and report.

slots --> plan --> tasks               before anything runs: what is installed, and can be used
session, post --> Updates              once the agent is connected, or tries to be
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from agent.post import Post
from agent.shell.installer import Installer
from agent.shell.loop import AgentEvent
from agent.shell.preparing import Preparing, Tell
from agent.shell.updater import Updater
from agent.shell.updates import Updates
from agent.task import Task
from agent.update.selftest import resident_mb
from agent.update.slots import UPDATES, SlotStore
from agent.update.telling import Telling
from agent.update.watched import Watched
from agent.update.words import Begin, Running
from broker.wire.credentials import DeviceCredentials
from broker.wire.session import Session
from broker.wire.topics import release_metadata
from firstline.plan import AgentPlan
from firstline.workshop import BoardWorkshop

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardUpdates:
    """Makes the updates of one agent, once its session is there."""

    plan: AgentPlan
    credentials: DeviceCredentials
    slots: SlotStore
    workshop: BoardWorkshop
    queue: SimpleQueue[AgentEvent]
    counters: Counter[str]

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """What is heard all the time: when anything is new."""
        if not self.plan.updates.enabled:
            return ()
        return (release_metadata(self.credentials.fleet, "timestamp.json"),)

    def of(self, session: Session, post: Post) -> Updates:
        """Put it together."""
        own = self.credentials
        telling = Telling(
            fleet=own.fleet,
            device=own.device,
            key=own.signing_key,
            session=self.slots.session(time.time()),
            groups=self.plan.updates.groups,
            now_s=time.time,
        )
        return Updates(
            fleet=own.fleet,
            device=own.device,
            link=session,
            slots=self.slots,
            updater=Updater(self.queue.put, lambda: self._count("updater_dropped")),
            telling=telling,
            installer=self._installer,
            begin=lambda tasks: self._begin(post, tasks),
            date=post.ask_date,
            counters=self.counters,
        )

    def _installer(self, tell: Tell) -> Installer:
        preparing = Preparing(
            slots=self.slots,
            workshop=self.workshop,
            post=self.queue.put,
            tell=tell,
            count=self._count,
        )
        return Installer(
            slots=self.slots,
            workshop=self.workshop,
            preparing=preparing,
            tell=tell,
            count=self._count,
        )

    def _begin(self, post: Post, tasks: Mapping[str, Task]) -> Begin:
        told, book = self.plan.told, self.slots.book
        held = {each.digest for slots in book.packages.values() for each in slots.candidates}
        return Begin(
            state=str(self.plan.state.resolve()),
            credentials=str(self.plan.credentials.resolve()),
            groups=self.plan.updates.groups,
            packages=tuple(self._running(name, tasks) for name in self._served(tasks)),
            bad={each.digest: each.reason for each in book.bad},
            keep=tuple(sorted(held)),
            made_s=post.keyring.made_s,
            offset_s=post.offset_s,
            power=told.power,
            metered=told.metered,
            metered_file=str(told.metered_file),
        )

    def _served(self, tasks: Mapping[str, Task]) -> list[str]:
        return sorted({watched.serving.package for watched in _watched(tasks)})

    def _running(self, name: str, tasks: Mapping[str, Task]) -> Running:
        slots, factory = self.slots.of(name), self.plan.packages.get(name)
        mine = [each for each in _watched(tasks) if each.serving.package == name]
        pids = {each.engine.pid for each in mine if each.engine.pid is not None}
        runs = slots.candidates[0] if slots.candidates else None
        return Running(
            package=name,
            folders=() if factory is None else (str(factory.factory.resolve()),),
            running="" if runs is None else runs.digest,
            taken=0 if runs is None else runs.release,
            freed_mb=sum(resident_mb(pid) for pid in pids),
        )

    def _count(self, name: str) -> None:
        self.counters[name] += 1


def _watched(tasks: Mapping[str, Task]) -> list[Watched]:
    return [task.model for task in tasks.values() if isinstance(task.model, Watched)]


def open_slots(state: Path, counters: Counter[str]) -> tuple[SlotStore, bool]:
    """The slots of a board that starts, in its state folder, and whether a plan still holds.

    A trial that took too many starts is over, and then it does not.

    Raises:
        OSError: the state folder cannot be written.
    """
    slots = SlotStore(state / UPDATES)
    counters["slots_lost"] += slots.lost
    ended = slots.started()
    for package, reason in ended.items():
        _log.error("%s: its trial is over: %s", package, reason)
    return slots, not ended
