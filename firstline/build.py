"""Builds an agent from its settings.

    agent.toml -> AgentPlan -> credentials, engines, tasks, inputs -> AgentParts -> Loop

When the settings change, only the tasks are built anew; loaded engines are kept.
"""

import fcntl
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import TextIO

from agent.shell.ends import Input
from agent.shell.folder import FolderInput
from agent.shell.local_topic import LocalBroker
from agent.shell.loop import AgentEvent, Loop
from agent.shell.status import status_file
from agent.shell.streams import StreamInput
from agent.task import Task
from agent.update.slots import folders
from broker.package.errors import PackageError
from broker.wire.credentials import DeviceCredentials
from broker.wire.session import Address
from firstline.assemble import AgentParts, agent_loop
from firstline.device_keys import load_settled
from firstline.duties import Duties
from firstline.naming import finder_when_asked
from firstline.plan import AgentPlan, PlanningError, plan_apart
from firstline.settings.problems import SettingsError
from firstline.tasks import Tasks
from firstline.updating import BoardUpdates, open_slots
from firstline.watch import SettingsWatcher
from firstline.workshop import BoardWorkshop

_LOCAL_SESSION_S = 3600  # the local broker keeps questions for an agent that restarts
_LOCAL_PACKET_BYTES = 65 * 1_048_576  # the largest `max_bytes`, and what MQTT adds

_log = logging.getLogger(__name__)


class AlreadyRunningError(Exception):
    """Another agent uses this state folder."""


def lock(state: Path) -> TextIO:
    """Take a state folder for this process; held while the returned file is open.

    Raises:
        AlreadyRunningError: another process has it.
    """
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o700)
    file = (state / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyRunningError(f"another agent runs with the state folder {state}") from None
    return file


@contextmanager
def agent_process(path: Path, queue: SimpleQueue[AgentEvent]) -> Iterator[Loop]:
    """The agent of a settings file, connected or trying to; run the loop.

    Raises:
        SettingsError: the settings cannot be used.
        PackageError: a model package cannot be used.
        PlanningError: the settings could not be read.
        AlreadyRunningError: another agent has this state folder.
        KeyFileError: the device's keys cannot be used.
        StoreError: the outbox cannot be opened.
        NamesError: a folder of names cannot be used.
    """
    plan = plan_apart(path)
    counters: Counter[str] = Counter()
    with ExitStack() as stack:
        stack.enter_context(lock(plan.state))
        slots, holds = open_slots(plan.state, counters)
        plan = plan if holds else plan_apart(path, folders(slots.book, slots.folder))
        credentials = load_settled(plan.credentials)
        local = _local_broker(plan, credentials, queue)
        tasks = Tasks(local=local, stdout=sys.stdout, counters=counters)
        stack.callback(tasks.stop)
        workshop = BoardWorkshop(path, tasks, slots, plan)
        workshop.drop_unusable(plan)
        updates = BoardUpdates(
            plan=plan,
            credentials=credentials,
            slots=slots,
            workshop=workshop,
            queue=queue,
            counters=counters,
        )
        release = version("firstline")
        duties = Duties(
            plan=plan,
            credentials=credentials,
            tasks=tasks,
            queue=queue,
            counters=counters,
            version=release,
            status=stack.enter_context(status_file(plan.state)),
        )
        parts = AgentParts(
            credentials=credentials,
            host=plan.broker.host,
            port=plan.broker.port,
            tls=plan.broker.tls,
            state=plan.state,
            tasks=tasks.build(plan),
            queue=queue,
            inputs=_inputs(plan, queue, local, path),
            reload=partial(_reload, workshop),
            resend_s=plan.resend_s,
            max_questions=plan.max_questions,
            conversation_s=plan.conversation_s,
            find=finder_when_asked(plan.names),
            about={"version": release},
            duties=duties.of,
            updates=updates.of,
            subscriptions=updates.subscriptions,
            counters=counters,
        )
        yield stack.enter_context(agent_loop(parts))


def _inputs(
    plan: AgentPlan, queue: SimpleQueue[AgentEvent], local: LocalBroker | None, path: Path
) -> list[Input]:
    inputs: list[Input] = [] if local is None else [local]
    for task in plan.tasks:
        if task.source.path is not None:
            inputs.append(FolderInput(task.source.path, task=task.name, sink=queue.put))
        elif task.source.kind == "stdin":
            inputs.append(StreamInput(sys.stdin.buffer, task=task.name, sink=queue.put))
    if not all(isinstance(each, StreamInput) for each in inputs):
        inputs.append(SettingsWatcher(path, sink=queue.put))  # runs on, so edits matter
    return inputs


def _local_broker(
    plan: AgentPlan, credentials: DeviceCredentials, queue: SimpleQueue[AgentEvent]
) -> LocalBroker | None:
    if plan.local_broker is None:
        return None
    address = Address(
        host=plan.local_broker.host,
        port=plan.local_broker.port,
        client_id=f"{credentials.device}-local",
        session_expiry_s=_LOCAL_SESSION_S,
        tls=plan.local_broker.tls,
        max_packet_bytes=_LOCAL_PACKET_BYTES,
    )
    topics = {task.source.topic: task.name for task in plan.tasks if task.source.topic}
    return LocalBroker(address, tasks=topics, sink=queue.put)


def _reload(workshop: BoardWorkshop) -> Mapping[str, Task] | None:
    try:
        built = workshop.reload()
    except (SettingsError, PackageError, PlanningError) as error:
        _log.error("the edited settings are not used, the last good ones are kept:\n%s", error)
        return None
    _log.info("settings reloaded; [agent], [broker] and inputs take effect at the next start")
    return built
