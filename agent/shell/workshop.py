"""What the installer needs of who builds engines and tasks, and what they hand to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent.models.engine import Engine
from agent.task import Task
from agent.update.book import Installed
from agent.update.words import Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A package that has passed its self-test; its engines run."""

    installed: Installed
    plan: object = field(repr=False)  # the workshop's own
    engines: tuple[Engine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tight:
    """There is no room for it beside the one that it replaces."""

    installed: Installed
    plan: object = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """It must not run here."""

    installed: Installed
    reason: str
    condemned: bool  # never again; else circumstances are to blame


class Workshop(Protocol):
    """Builds engines and tasks. `prepare` may run on any thread, all else on the loop's."""

    def prepare(self, ready: Ready) -> Proven | Tight | Unfit:
        """Plan with a new package, and let it prove itself beside the old one."""

    def give_up(self) -> None:
        """End what `prepare` is at, from another thread."""

    def prepare_alone(self, tight: Tight) -> Proven | Unfit:
        """The same, where the old one must end first. It has ended when this returns."""

    def adopt(self, proven: Proven) -> Mapping[str, Task] | None:
        """All tasks with the new package; None: the settings were changed meanwhile."""

    def snapshot(self) -> object:
        """How things are, to come back to."""

    def restore(self, package: str, snapshot: object) -> Mapping[str, Task]:
        """All tasks, with one package as it was."""

    def rebuild(self) -> Mapping[str, Task] | None:
        """All tasks with what the slots say now; None: the settings cannot be read."""

    def retire(self) -> None:
        """End the engines that no task uses."""
