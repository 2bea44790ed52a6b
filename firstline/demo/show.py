"""Sends the demo's messages through the agent and tells what became of each."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel

from agent.core.clean import clean
from agent.core.mask import mask
from agent.stages import FindSpans, Raw
from broker.package.manifest import Manifest, load_manifest
from broker.wire.payload import Payload, Record, Text, Window, kind_of
from firstline.demo.problems import DemoError
from firstline.mask_rules import mask_rules
from firstline.naming import finder
from firstline.planning import expectation
from firstline.settings.agent import AgentSettings, TaskSection
from firstline.settings.source import read
from firstline.shipped import names_folder, package_folder

_PATIENCE_S = 30.0

SealedBytes = Callable[[bytes], int]  # of the question with this ticket; 0: none was sent


@dataclass(frozen=True, slots=True)
class Scene:
    """One message of the demo."""

    task: str
    file: str  # its name in `firmware_configs/demo/inputs`


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of one message."""

    task: str
    payload: str
    came_in: str
    left_device: str
    sealed_bytes: int | None  # on the wire; 0: nothing was sent; None: nobody looked
    answer: str
    answered_by: str
    model: str
    confidence: float  # in [0, 1]
    elapsed_ms: float
    flags: tuple[str, ...]


class _Answer(BaseModel):
    ticket: UUID
    answer: str
    origin: str
    confidence: float
    model: str
    elapsed_ms: float
    final: bool
    flags: tuple[str, ...]


def play(
    file: Path, scenes: list[Scene], inputs: Path, sealed_bytes: SealedBytes | None = None
) -> Iterator[Shown]:
    """Send each message to the agent with this settings file, and wait for its final answer.

    Raises:
        DemoError: no answer came, or the agent has no such task.
        SettingsError: the file is none of an agent.
    """
    settings = read(file, AgentSettings)
    tasks = {task.name: task for task in settings.tasks}
    find = finder([names_folder(language, file.parent) for language in settings.agent.names])
    for number, scene in enumerate(scenes, start=1):
        task = tasks.get(scene.task)
        if task is None:
            raise DemoError(f"{file} has no task {scene.task!r}: it is no agent of the demo")
        data = (inputs / scene.file).read_bytes()
        answer = _ask(file.parent, task, f"{number:02}-{scene.file}", data)
        size = None if sealed_bytes is None else sealed_bytes(answer.ticket.bytes)
        package = package_folder(settings.models[task.model].package, file.parent)
        payloads = _treated(task, load_manifest(package), data, find)
        yield _shown(task, payloads, answer, size)


def _ask(base: Path, task: TaskSection, name: str, data: bytes) -> _Answer:
    if task.input.path is None or task.output.path is None:
        raise DemoError(f"the task {task.name!r} has no folders: it is none of the demo's")
    inbox, answers = base / task.input.path, base / task.output.path
    known = set(answers.glob("*.json"))
    unfinished = inbox / f".{name}"
    unfinished.write_bytes(data)
    unfinished.rename(inbox / name)
    give_up_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_s:
        for path in set(answers.glob("*.json")) - known:
            answer = _Answer.model_validate(json.loads(path.read_bytes()))
            if answer.final:
                return answer
        time.sleep(0.005)
    raise DemoError(f"no answer to {name} within {_PATIENCE_S:.0f} s: does the agent run?")


def _treated(
    task: TaskSection, manifest: Manifest, data: bytes, find: FindSpans
) -> tuple[Payload, Payload]:
    """Do as the agent does: what came in, and what of it may leave."""
    cleaned = clean(Raw(task.name, "demo", data), expectation(task, manifest))
    rules = mask_rules(task.mask, Path(), manifest)  # it has no list in a file
    return cleaned.payload, mask(cleaned, rules, find).masked.payload


def _shown(
    task: TaskSection, payloads: tuple[Payload, Payload], answer: _Answer, size: int | None
) -> Shown:
    came_in, left = payloads
    was_sent = answer.origin != "device" if size is None else size > 0
    return Shown(
        task=task.name,
        payload=kind_of(came_in),
        came_in=_words(came_in),
        left_device=_words(left) if was_sent else "nothing",
        sealed_bytes=size,
        answer=answer.answer,
        answered_by=answer.origin,
        model=answer.model,
        confidence=answer.confidence,
        elapsed_ms=answer.elapsed_ms,
        flags=answer.flags,
    )


def _words(payload: Payload) -> str:
    match payload:
        case Text(text):
            return text
        case Record(fields):
            return ", ".join(f"{name}={value}" for name, value in fields.items())
        case Window(_, channels, rate_hz):
            return f"{payload.length} samples of {len(channels)} sensors at {rate_hz:g} Hz"
