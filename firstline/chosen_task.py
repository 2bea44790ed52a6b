"""Which task of an agent's settings a command is about."""

from pathlib import Path
from typing import TYPE_CHECKING

from firstline.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from firstline.settings.agent import AgentSettings, TaskSection


def chosen_task(
    settings: "AgentSettings", name: str | None, *, path: Path, command: str
) -> "TaskSection":
    """The task of this name; without one, the only task there is.

    Args:
        settings: The agent's.
        name: What was typed.
        path: Where the settings lie, for the advice.
        command: What was typed before its options, for the advice.

    Raises:
        CommandError: there is no such task, or there are several.
    """
    tasks = {task.name: task for task in settings.tasks}
    if name is None and len(tasks) == 1:
        (name,) = tasks
    if name not in tasks:
        raise CommandError(
            "say which task: there is " + ", ".join(tasks),
            ExitCode.USAGE,
            fix=f"{command} --settings {path} --task {next(iter(tasks))}",
        )
    return tasks[name]
