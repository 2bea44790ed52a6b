"""Builds the tasks and engines of a plan, and builds them anew when settings or the board change.

    AgentPlan --build--> tasks      new settings
    Measures  --under--> tasks      the board is hot, or asking is costly now

Loaded engines are kept.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, TextIO

from agent.core.pressure import Measures, gate_under, threads_under, wait_under
from agent.models.engine import Engine
from agent.shell.folder import FolderOutput
from agent.shell.local_topic import LocalBroker
from agent.shell.streams import StreamOutput
from agent.stages import Delivery
from agent.task import Task
from agent.update.health import Tally
from agent.update.watched import Serving, Watched
from firstline.plan import AgentPlan, Endpoint, EnginePlan, Placed, TaskPlan

if TYPE_CHECKING:
    from pathlib import Path


class Tasks:
    """Builds tasks, and builds them again when the settings change, keeping loaded engines.

    Args:
        local: The broker on the board, if a task uses one.
        stdout: For tasks that answer on standard output.
        counters: Counts answers by who gave them.
    """

    def __init__(
        self, *, local: LocalBroker | None, stdout: TextIO, counters: Counter[str]
    ) -> None:
        self._local, self._stdout, self._counters = local, stdout, counters
        self._engines: dict[EnginePlan, Engine] = {}
        self._serving: dict[Path, Serving] = {}  # by the package's folder
        self._plan: tuple[TaskPlan, ...] = ()
        self._packages: Mapping[str, Placed] = {}
        self._taken = Measures()

    @property
    def engines(self) -> Collection[Engine]:
        """Every engine that a task has had."""
        return self._engines.values()

    def build(self, plan: AgentPlan) -> dict[str, Task]:
        """The tasks of a plan, on a board that is as it is now."""
        self._plan, self._packages = plan.tasks, plan.packages
        return {task.name: self._task(task) for task in plan.tasks}

    def under(self, taken: Measures) -> dict[str, Task]:
        """The same tasks, and the engines with them, on a board that fares otherwise now."""
        self._taken = taken
        return {task.name: self._task(task) for task in self._plan}

    def stop(self) -> None:
        """End the engine children."""
        _stop_all(self._engines.values())

    def take(self, engines: Mapping[EnginePlan, Engine]) -> None:
        """Use these, which run already."""
        self._engines |= engines

    def stop_package(self, package: str) -> None:
        """End all engines of a package; they start again when they are asked."""
        for task in self._plan:
            if task.package == package:
                self._engines[task.engine].stop()

    def retire(self) -> None:
        """End and forget the engines that no task uses any more."""
        used = {task.engine for task in self._plan}
        idle = [engine for plan, engine in self._engines.items() if plan not in used]
        self._engines = {plan: each for plan, each in self._engines.items() if plan in used}
        folders = {plan.package for plan in used}
        self._serving = {path: each for path, each in self._serving.items() if path in folders}
        if idle:  # apart, for a child may take its time
            Thread(target=_stop_all, args=(idle,), name="retire", daemon=True).start()

    def _task(self, plan: TaskPlan) -> Task:
        return Task(
            name=plan.name,
            expect=plan.expect,
            rules=plan.rules,
            model=Watched(self._engine(plan.engine), self._served(plan)),
            domain=plan.domain,
            gate=gate_under(self._taken, plan.gate, plan.frugal),
            wait_s=wait_under(self._taken, plan.frugal),
            patience_s=plan.patience_s,
            priority=plan.priority,
            provisional=plan.provisional,
            deliver=partial(self._counted, self._output(plan.target)),
        )

    def _engine(self, plan: EnginePlan) -> Engine:
        if plan not in self._engines:
            self._engines[plan] = new_engine(plan)
        engine = self._engines[plan]
        engine.work_with(threads_under(self._taken, plan.threads))
        return engine

    def _served(self, plan: TaskPlan) -> Serving:
        folder, placed = plan.engine.package, self._packages[plan.package]
        if folder not in self._serving:
            released = placed.golden if folder == placed.folder else None
            case = None if released is None else released.cases[0]
            digest = "" if released is None else folder.name
            self._serving[folder] = Serving(plan.package, digest, case, Tally())
        return self._serving[folder]

    def _output(self, target: Endpoint) -> Callable[[Delivery], None]:
        if target.path is not None:
            return FolderOutput(target.path).deliver
        if target.topic is not None and self._local is not None:
            return partial(self._local.deliver, target.topic)
        return StreamOutput(self._stdout).deliver

    def _counted(self, deliver: Callable[[Delivery], None], delivery: Delivery) -> None:
        deliver(delivery)
        self._counters[f"answered_{delivery.origin}" if delivery.final else "provisional"] += 1


def new_engine(plan: EnginePlan) -> Engine:
    """An engine of which no child runs yet."""
    return Engine(
        plan.package,
        threads=plan.threads,
        timeout_s=plan.timeout_s,
        unload_after_s=plan.unload_after_s,
        profile=plan.profile,
        max_memory_bytes=plan.max_memory_bytes,
    )


def _stop_all(engines: Collection[Engine]) -> None:
    for engine in engines:
        engine.stop()
