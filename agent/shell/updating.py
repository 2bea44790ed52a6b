"""What the loop asks of updates, and the answer of an agent that has none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from agent.shell.preparing import Prepared
from agent.shell.updater import UpdaterEnded, UpdaterSaid
from agent.task import Task
from broker.wire.session import Received

UpdateEvent = UpdaterSaid | UpdaterEnded | Prepared
Tasks = Mapping[str, Task]


class Updating(Protocol):
    """What the loop asks. Where tasks are returned, they are the ones from now on."""

    def online(self) -> None:
        """The broker is back."""

    def hear(self, message: Received) -> bool:
        """Take a message; false: it is not about releases."""

    def take(self, event: UpdateEvent, tasks: Tasks) -> Tasks | None:
        """Something has happened."""

    def asked(self, task: Task, *, escalated: bool) -> Tasks | None:
        """A question was answered, or asked of the cloud."""

    def tick(self, tasks: Tasks) -> Tasks | None:
        """Look at the time."""

    def reloaded(self) -> None:
        """The settings have changed."""

    def stop(self) -> None:
        """End what runs."""


@dataclass(frozen=True, slots=True)
class NoUpdates:
    """An agent whose models nobody changes."""

    def online(self) -> None:
        """See Updating."""

    def hear(self, _message: Received) -> bool:
        """See Updating."""
        return False

    def take(self, _event: UpdateEvent, _tasks: Tasks) -> Tasks | None:
        """See Updating."""
        return None

    def asked(self, _task: Task, *, escalated: bool) -> Tasks | None:  # noqa: ARG002
        """See Updating."""
        return None

    def tick(self, _tasks: Tasks) -> Tasks | None:
        """See Updating."""
        return None

    def reloaded(self) -> None:
        """See Updating."""

    def stop(self) -> None:
        """See Updating."""


NO_UPDATES: Final = NoUpdates()
