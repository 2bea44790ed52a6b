"""The worker's settings file: every key, its unit and its range."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from firstline.settings.agent import BrokerSection
from firstline.settings.source import Document, Section


class WorkerSection(Section):
    """The worker itself. Paths are relative to the settings file."""

    credentials: Path = Path("keys")  # a folder under `workers/` that `firstline fleet init` made
    state: Path = Path("state")  # claims and stored replies live here
    concurrency: int = Field(default=1, ge=1, le=256)  # questions answered at once
    queue: int = Field(default=64, ge=1, le=100_000)  # claimed and waiting; beyond it: busy
    retry_after_s: float = Field(default=2.0, gt=0, le=3600)  # what a busy worker asks for
    drain_s: float = Field(default=10.0, gt=0, le=3600)  # to finish after a SIGTERM


class EngineSection(Section):
    """A model package that answers the domains it knows."""

    kind: Literal["onnxruntime"] = "onnxruntime"
    package: str  # a shipped package's name, or a folder
    threads: int = Field(default=1, ge=1, le=256)


class WorkerSettings(Document):
    """The whole file."""

    worker: WorkerSection = WorkerSection()
    broker: BrokerSection = BrokerSection()
    engines: tuple[EngineSection, ...] = Field(min_length=1)
