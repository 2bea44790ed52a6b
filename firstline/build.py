"""Builds an agent from its settings: the one place that knows all its parts.

    AgentSettings -> credentials, outbox, engines, tasks, session -> Loop
"""

import fcntl
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.mask import MaskRules
from agent.models.engine import Engine
from agent.pipeline import Pipeline, Task
from agent.post import Post
from agent.shell.courier import Courier
from agent.shell.folder import FolderInput, FolderOutput
from agent.shell.local_topic import LocalBroker
from agent.shell.loop import AgentEvent, Input, Loop
from agent.shell.presence import Presence
from agent.shell.streams import StreamInput, StreamOutput
from agent.stages import Delivery
from agent.store.memo import Safe
from agent.store.outbox import Outbox
from broker.package.manifest import Manifest, load_manifest
from broker.wire import topics
from broker.wire.credentials import load_device
from broker.wire.keys import supported_suites
from broker.wire.payload import PayloadKind
from broker.wire.session import Address, Session
from firstline.settings.agent import AgentSettings, OutputSection, TaskSection
from firstline.settings.source import SettingsError
from firstline.shipped import package_folder
from firstline.watch import SettingsWatcher

_SESSION_EXPIRY_S = 3600  # the broker keeps replies for a device that is away this long
_SESSION_NUMBER = "session_number"

_log = logging.getLogger(__name__)


class AlreadyRunningError(Exception):
    """Another agent uses this state folder."""


def lock(state: Path) -> IO[str]:
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
    """Builds tasks, and builds them again when the settings change, keeping loaded engines."""

    def __init__(self, base: Path, *, stdout: IO[str], counters: Counter[str]) -> None:
        self._base, self._stdout, self._counters = base, stdout, counters
        self._engines: dict[tuple[Path, int, float], Engine] = {}
        self.local: LocalBroker | None = None

    def build(self, settings: AgentSettings) -> dict[str, Task]:
        """The tasks of these settings.

        Raises:
            PackageError: a model package cannot be used.
            SettingsError: a task does not fit its package.
        """
        return {section.name: self._task(section, settings) for section in settings.tasks}

    def stop(self) -> None:
        """End the engine children."""
        for engine in self._engines.values():
            engine.stop()

    def _task(self, section: TaskSection, settings: AgentSettings) -> Task:
        model = settings.models[section.model]
        folder = package_folder(model.package, self._base)
        manifest = load_manifest(folder)
        key = (folder, model.threads, model.timeout_s)
        if key not in self._engines:
            self._engines[key] = Engine(folder, threads=model.threads, timeout_s=model.timeout_s)
        return Task(
            name=section.name,
            expect=expectation(section, manifest),
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
        if section.kind == "topic" and self.local is not None and section.topic is not None:
            return partial(self.local.deliver, section.topic)
        return StreamOutput(self._stdout).deliver

    def _counted(self, deliver: Callable[[Delivery], None], delivery: Delivery) -> None:
        deliver(delivery)
        self._counters[f"answered_{delivery.origin}" if delivery.final else "provisional"] += 1


def expectation(section: TaskSection, manifest: Manifest) -> Expectation:
    """What a task takes: its own limits, and the shape that its model was made for.

    Raises:
        SettingsError: the package is made for another payload.
    """
    raise NotImplementedError
