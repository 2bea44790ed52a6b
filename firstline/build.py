"""Builds an agent from its settings.

    agent.toml -> AgentSettings -> credentials, engines, tasks, inputs -> AgentParts -> Loop

When the settings change, only the tasks are built anew; loaded engines are kept.
"""

import fcntl
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import TextIO

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.mask import MaskRules
from agent.models.engine import Engine
from agent.pipeline import Task
from agent.shell.folder import FolderInput, FolderOutput
from agent.shell.local_topic import LocalBroker
from agent.shell.loop import AgentEvent, Input, Loop
from agent.shell.streams import StreamInput, StreamOutput
from agent.stages import Delivery
from broker.package.errors import PackageError
from broker.package.manifest import Manifest, WindowInput, load_manifest
from broker.wire.credentials import DeviceCredentials, load_device
from broker.wire.session import Address
from firstline.assemble import AgentParts, agent_loop
from firstline.settings.agent import AgentSettings, OutputSection, TaskSection
from firstline.settings.source import SettingsError, read
from firstline.shipped import package_folder
from firstline.watch import SettingsWatcher

_LOCAL_SESSION_S = 3600  # the local broker keeps questions for an agent that restarts

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


class Tasks:
    """Builds tasks, and builds them again when the settings change, keeping loaded engines.

    Args:
        base: What paths in the settings are relative to.
        local: The broker on the board, if a task uses one.
        stdout: For tasks that answer on standard output.
        counters: Counts answers by who gave them.
    """

    def __init__(
        self, base: Path, *, local: LocalBroker | None, stdout: TextIO, counters: Counter[str]
    ) -> None:
        self._base, self._local, self._stdout, self._counters = base, local, stdout, counters
        self._engines: dict[tuple[Path, int, float], Engine] = {}

    def build(self, settings: AgentSettings) -> dict[str, Task]:
        """The tasks of these settings.

        Raises:
            PackageError: a model package cannot be used, or not for its task.
        """
        return {section.name: self._task(section, settings) for section in settings.tasks}

    def stop(self) -> None:
        """End the engine children."""
        for engine in self._engines.values():
            engine.stop()

    def _task(self, section: TaskSection, settings: AgentSettings) -> Task:
        model = settings.models[section.model]
        folder = package_folder(model.package, self._base)
        key = (folder, model.threads, model.timeout_s)
        if key not in self._engines:
            self._engines[key] = Engine(folder, threads=model.threads, timeout_s=model.timeout_s)
        return Task(
            name=section.name,
            expect=expectation(section, load_manifest(folder)),
            rules=MaskRules(section.mask.fields, section.mask.default),
            model=self._engines[key],
            domain=section.domain,
            gate=GatePolicy(section.max_error),
            patience_s=section.patience_s,
            provisional=section.provisional,
            deliver=partial(self._counted, self._output(section.output)),
        )

    def _output(self, section: OutputSection) -> Callable[[Delivery], None]:
        if section.kind == "folder" and section.path is not None:
            return FolderOutput(self._base / section.path).deliver
        if section.kind == "topic" and self._local is not None and section.topic is not None:
            return partial(self._local.deliver, section.topic)
        return StreamOutput(self._stdout).deliver

    def _counted(self, deliver: Callable[[Delivery], None], delivery: Delivery) -> None:
        deliver(delivery)
        self._counters[f"answered_{delivery.origin}" if delivery.final else "provisional"] += 1


def expectation(section: TaskSection, manifest: Manifest) -> Expectation:
    """What a task takes: its own limits, and the shape that its model was made for.

    Raises:
        PackageError: the package is made for another payload, or has no such domain.
    """
    manifest.head(section.domain)
    if manifest.payload != section.payload:
        raise PackageError(
            f"task {section.name!r} sends a {section.payload}, but {manifest.name} takes a "
            f"{manifest.payload}: change the task's 'payload' or its model"
        )
    if not isinstance(manifest.input, WindowInput):
        return Expectation(
            section.payload, max_bytes=section.max_bytes, max_chars=section.max_chars
        )
    window = manifest.input
    return Expectation(
        section.payload,
        max_bytes=section.max_bytes,
        channels=window.channels,
        rate_hz=window.rate_hz,
        min_length=window.length,
        max_length=window.length,
    )


@contextmanager
def agent_process(path: Path, queue: SimpleQueue[AgentEvent]) -> Iterator[Loop]:
    """The agent of a settings file, connected or trying to; run the loop.

    Raises:
        SettingsError: the settings cannot be used.
        AlreadyRunningError: another agent has this state folder.
        KeyFileError: the device's keys cannot be used.
        PackageError: a model package cannot be used.
        StoreError: the outbox cannot be opened.
    """
    settings, base = read(path, AgentSettings), path.resolve().parent
    counters: Counter[str] = Counter()
    with ExitStack() as stack:
        stack.enter_context(lock(base / settings.agent.state))
        credentials = load_device(base / settings.agent.credentials)
        local = _local_broker(settings, credentials, queue)
        tasks = Tasks(base, local=local, stdout=sys.stdout, counters=counters)
        stack.callback(tasks.stop)
        parts = AgentParts(
            credentials=credentials,
            host=settings.broker.host,
            port=settings.broker.port,
            state=base / settings.agent.state,
            tasks=tasks.build(settings),
            queue=queue,
            inputs=_inputs(settings, base, queue, local, path),
            reload=partial(_reload, path, tasks),
            resend_s=settings.agent.resend_s,
            max_questions=settings.agent.max_questions,
            about={"version": version("firstline")},
            counters=counters,
        )
        yield stack.enter_context(agent_loop(parts))


def _inputs(
    settings: AgentSettings,
    base: Path,
    queue: SimpleQueue[AgentEvent],
    local: LocalBroker | None,
    path: Path,
) -> list[Input]:
    inputs: list[Input] = [] if local is None else [local]
    for task in settings.tasks:
        if task.input.kind == "folder" and task.input.path is not None:
            inputs.append(FolderInput(base / task.input.path, task=task.name, sink=queue.put))
        elif task.input.kind == "stdin":
            inputs.append(StreamInput(sys.stdin.buffer, task=task.name, sink=queue.put))
    if not all(isinstance(each, StreamInput) for each in inputs):
        inputs.append(SettingsWatcher(path, sink=queue.put))  # runs on, so edits matter
    return inputs


def _local_broker(
    settings: AgentSettings, credentials: DeviceCredentials, queue: SimpleQueue[AgentEvent]
) -> LocalBroker | None:
    if settings.local_broker is None:
        return None
    address = Address(
        host=settings.local_broker.host,
        port=settings.local_broker.port,
        client_id=f"{credentials.device}-local",
        session_expiry_s=_LOCAL_SESSION_S,
    )
    topics = {task.input.topic: task.name for task in settings.tasks if task.input.topic}
    return LocalBroker(address, tasks=topics, sink=queue.put)


def _reload(path: Path, tasks: Tasks) -> dict[str, Task] | None:
    try:
        built = tasks.build(read(path, AgentSettings))
    except (SettingsError, PackageError) as error:
        _log.error("the edited settings are not used, the last good ones are kept:\n%s", error)
        return None
    _log.info("settings reloaded; [agent], [broker] and inputs take effect at the next start")
    return built
