"""What an agent is to do, unpacked from its settings: plain values, nothing left to check.

    agent.toml --[a process that ends: firstline.planning]--> AgentPlan --build--> parts

Settings and model packages are read with pydantic in a process of its own, because the agent would
keep its 13 MiB for months in order to use them for milliseconds.
"""

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.board import Told
from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.policy import MaskRules
from agent.core.pressure import Frugality
from broker.package.golden import Golden
from broker.package.profile import Profile
from broker.wire.messages import Priority
from broker.wire.tls import TlsFiles

_PATIENCE_S = 60.0  # a cold SD card

Candidates = Mapping[str, Sequence[Path]]  # by the package's name; the first that can be used is


class PlanningError(Exception):
    """The process that reads the settings did not do so."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is."""

    host: str
    port: int
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where questions come from, or answers go."""

    kind: str  # folder, topic, stdin, stdout
    path: Path | None  # of a folder, absolute
    topic: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePlan:
    """One engine child; tasks with equal ones share it."""

    package: Path  # a model package's folder
    threads: int
    timeout_s: float
    unload_after_s: float
    profile: Profile
    max_memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """One job."""

    name: str
    engine: EnginePlan
    package: str  # its name, as its package.toml says, wherever it lies
    domain: str
    expect: Expectation
    rules: MaskRules
    gate: GatePolicy
    frugal: Frugality
    patience_s: float
    priority: Priority
    provisional: bool
    source: Endpoint
    target: Endpoint


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a candidate was passed over."""

    reason: str
    broken: bool  # it can be of use to nobody; else only this board's tasks cannot use it


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One package of the settings."""

    name: str
    factory: Path
    folder: Path  # that it is taken from
    unusable: Mapping[Path, Unusable]
    golden: Golden | None  # what a candidate is asked before it serves; None: it is the factory's


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """Whose releases the device takes."""

    enabled: bool
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlan:
    """The whole device."""

    credentials: Path
    state: Path
    told: Told
    throttle_c: float
    writes_mb_per_day: float  # MB that the agent may write; 0: no budget
    broker: Broker
    local_broker: Broker | None
    resend_s: float
    max_questions: int
    conversation_s: float
    names: tuple[Path, ...]  # folders, one for each language
    tasks: tuple[TaskPlan, ...]
    updates: Updates
    packages: Mapping[str, Placed]  # by name


def plan_apart(path: Path, candidates: Candidates | None = None) -> AgentPlan:
    """Plan from a settings file, in a process that takes its memory with it.

    Args:
        path: The settings file.
        candidates: Folders that may stand in for the factory's packages; else what is installed.

    Raises:
        SettingsError: the settings cannot be used.
        PackageError: a model package cannot be used, or not for its task.
        PlanningError: the process failed.
    """
    given = (candidates or {}).items()
    folders = {name: [str(each) for each in found] for name, found in given}
    module = ["-P", "-m", "firstline.planning"]  # -P: nothing from the current folder
    command = [
        sys.executable,
        *module,
        str(path),
        json.dumps(None if candidates is None else folders),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, check=True, stdout=subprocess.PIPE, timeout=_PATIENCE_S
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise PlanningError(f"{path} could not be read: {error}") from error
    plan = pickle.loads(done.stdout)  # noqa: S301 - our own code wrote it, from checked values
    if isinstance(plan, Exception):
        raise plan
    assert isinstance(plan, AgentPlan)  # noqa: S101 - it writes nothing else
    return plan
