"""Builds what a board runs from its settings and its slots: plans, tasks, engines.

settings + slots --[a process that ends]--> AgentPlan --> engines, self-tests --> tasks
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.shell.workshop import Proven, Tight, Unfit
from agent.task import Task
from agent.update.board import kept_speed
from agent.update.book import Installed
from agent.update.choose import ENGINE_MB
from agent.update.selftest import Limits, SelfTestError, prove
from agent.update.slots import SlotStore, folders
from agent.update.words import Ready
from broker.package.errors import PackageError
from broker.package.ram import free_bytes
from firstline.plan import AgentPlan, EnginePlan, Placed, PlanningError, plan_apart
from firstline.settings.problems import SettingsError
from firstline.tasks import Tasks, new_engine

if TYPE_CHECKING:
    from agent.models.engine import Engine

_MB: Final = 1_000_000
_WHOLE_S: Final = 120.0  # of a self-test beside the old model
_ALONE_S: Final = 30.0  # of one while nobody answers
_RESERVE_MB: Final = 24  # of memory, for all else on the board

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with a new package in it."""

    plan: AgentPlan
    package: Placed
    engines: tuple[EnginePlan, ...]
    reloads: int  # of the settings, when it was made
    ram_mb: int  # that an engine child with the new package is expected to take


class BoardWorkshop:
    """See agent.shell.workshop.Workshop.

    Args:
        path: The settings file.
        tasks: Builds tasks, and keeps their engines.
        slots: What is installed.
        plan: That the tasks were built by.
    """

    def __init__(self, path: Path, tasks: Tasks, slots: SlotStore, plan: AgentPlan) -> None:
        self._path, self._tasks, self._slots, self._plan = path, tasks, slots, plan
        self._reloads = 0
        self._tested: list[Engine] = []
        self._given_up = False

    def plan(self, trial: Installed | None = None) -> AgentPlan:
        """Plan with what is installed; packages that cannot be used are passed over, and noted.

        Raises:
            SettingsError: the settings cannot be used.
            PackageError: a factory's package cannot be used.
            PlanningError: the settings could not be read.
        """
        candidates = folders(self._slots.book, self._slots.folder)
        if trial is not None:
            others = candidates.get(trial.package, [])
            candidates[trial.package] = [self._slots.place(trial.digest), *others]
        return plan_apart(self._path, candidates)

    def reload(self) -> Mapping[str, Task]:
        """All tasks, by the settings and slots of now.

        Raises:
            SettingsError: the settings cannot be used.
            PackageError: a factory's package cannot be used.
            PlanningError: the settings could not be read.
        """
        plan = self.plan()
        self._reloads += 1
        self.drop_unusable(plan)
        return self._build(plan)

    def rebuild(self) -> Mapping[str, Task] | None:
        """See Workshop."""
        try:
            return self.reload()
        except (SettingsError, PackageError, PlanningError) as error:
            _log.error("the settings cannot be read again now: %s", error)
            return None

    def prepare(self, ready: Ready) -> Proven | Tight | Unfit:
        """See Workshop."""
        installed = ready.installed
        try:
            found = self._planned(installed, ready.ram_mb)
        except (SettingsError, PackageError, PlanningError) as error:
            reason = f"the settings cannot be read: {error}"
            return Unfit(installed=installed, reason=reason, condemned=False)
        folder = self._slots.place(installed.digest)
        if (unusable := found.package.unusable.get(folder)) is not None:
            return Unfit(installed=installed, reason=unusable.reason, condemned=unusable.broken)
        if free_bytes() // _MB < found.ram_mb * len(found.engines) + _RESERVE_MB:
            return Tight(installed=installed, plan=found)
        return self._proven(installed, found, _WHOLE_S)

    def give_up(self) -> None:
        """See Workshop."""
        self._given_up = True
        for engine in self._tested:
            engine.interrupt()

    def prepare_alone(self, tight: Tight) -> Proven | Unfit:
        """See Workshop."""
        found = tight.plan
        assert isinstance(found, Planned)  # noqa: S101 - `prepare` made it
        self._tasks.stop_package(tight.installed.package)
        return self._proven(tight.installed, found, _ALONE_S)

    def adopt(self, proven: Proven) -> Mapping[str, Task] | None:
        """See Workshop."""
        found = proven.plan
        assert isinstance(found, Planned)  # noqa: S101 - `prepare` made it
        if found.reloads != self._reloads:
            for engine in proven.engines:
                engine.stop()
            return None
        self._tasks.take(dict(zip(found.engines, proven.engines, strict=True)))
        return self._build(found.plan)

    def snapshot(self) -> object:
        """See Workshop."""
        return self._plan

    def restore(self, package: str, snapshot: object) -> Mapping[str, Task]:
        """See Workshop."""
        assert isinstance(snapshot, AgentPlan)  # noqa: S101 - `snapshot` gave it
        before = {task.name: task for task in snapshot.tasks if task.package == package}
        tasks = tuple(before.get(task.name, task) for task in self._plan.tasks)
        packages = {**self._plan.packages, package: snapshot.packages[package]}
        return self._build(replace(self._plan, tasks=tasks, packages=packages))

    def retire(self) -> None:
        """See Workshop."""
        self._tasks.retire()

    def _build(self, plan: AgentPlan) -> Mapping[str, Task]:
        self._plan = plan
        return self._tasks.build(plan)

    def _planned(self, installed: Installed, ram_mb: int) -> Planned:
        reloads = self._reloads
        plan = self.plan(installed)
        package = plan.packages[installed.package]
        mine = [task.engine for task in plan.tasks if task.package == installed.package]
        golden = package.golden
        expected_mb = golden.ram_mb if golden is not None and golden.ram_mb else 0
        expected_mb = expected_mb or ram_mb + max(ENGINE_MB.values())
        return Planned(plan, package, tuple(dict.fromkeys(mine)), reloads, expected_mb)

    def _proven(self, installed: Installed, found: Planned, whole_s: float) -> Proven | Unfit:
        golden = found.package.golden
        engines = self._tested = []
        assert golden is not None  # noqa: S101 - a candidate has questions, if made-up ones
        speed = kept_speed(self._slots.folder) or golden.speed
        limits = Limits.of(golden, speed, taken_mb=found.ram_mb, whole_s=whole_s)
        for each in found.engines:
            engines.append(engine := new_engine(each))
            try:
                proof = prove(engine, golden, limits)
            except SelfTestError as error:
                for other in engines:
                    other.stop()
                # The operator reads it, and has no such folder.
                reason = str(error).replace(f"{found.package.folder}/", "")
                blamed = not self._given_up
                return Unfit(installed=installed, reason=reason, condemned=blamed)
            told = "%s %s: %d of %d golden answers, %.1f ms, %d MB"
            figures = (proof.agreed, proof.answered, proof.ms, proof.ram_mb)
            _log.info(told, installed.package, installed.version, *figures)
        return Proven(installed=installed, plan=found, engines=tuple(engines))

    def drop_unusable(self, plan: AgentPlan) -> None:
        """Note which packages a plan had to pass over, and that those which are broken are gone."""
        for name, package in plan.packages.items():
            for folder, unusable in package.unusable.items():
                _log.error("%s is passed over: %s", folder.name, unusable.reason)
                if unusable.broken:
                    drop(self._slots, name, folder.name, unusable.reason)


def drop(slots: SlotStore, package: str, digest: str, reason: str) -> None:
    """Note that an installed package can run no more."""
    try:
        trial = slots.of(package).trial
        if trial is not None and trial.installed.digest == digest:
            slots.reject(package, reason)
        else:
            slots.drop(package, digest, reason)
    except OSError as error:  # found again at the next start
        _log.error("that cannot be noted: %s", error)
