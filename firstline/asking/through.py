"""A question the whole way: as an agent of its own, or through the agent that runs already.

state folder free    -> agent_loop with one question -> its delivery
state folder taken   -> a file in the task's input folder ... <ticket>.json in its output folder
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING
from uuid import UUID

from agent.core.errors import InputError
from agent.shell.events import Arrived, Stop, delivery_json, ticket_of
from agent.shell.folder import CONVERSATION_MARK, REJECTED
from agent.stages import Delivery
from broker.wire.files import write_whole
from firstline.assemble import AgentParts, agent_loop
from firstline.build import AlreadyRunningError, lock
from firstline.device_keys import load_settled
from firstline.exits import CommandError
from firstline.naming import finder
from firstline.planning import plan
from firstline.settings.agent import AgentSettings, TaskSection
from firstline.tasks import Tasks

if TYPE_CHECKING:
    from agent.shell.loop import AgentEvent

Answer = dict[str, object]  # what every output writes, see agent.shell.events.delivery_json

_SOURCE = "command line"
_POLL_S = 0.02
_IDENTITY_BYTES = 8
_CLOCK_GRAIN_S = 1.0  # a file's time may be that much before ours
_SLACK_S = 5.0  # an agent that is busy delivers a little after the task's patience


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and in which conversation; "": in none."""

    data: bytes = field(repr=False)
    conversation: str = ""


def ask_through(
    question: Question, *, settings: AgentSettings, base: Path, task: TaskSection
) -> Answer:
    """Ask the agent of these settings and wait for the final answer.

    Raises:
        CommandError: the agent runs, and this task takes no files or gives none.
        InputError: the task does not take such an input.
        TimeoutError: no final answer in the task's patience.
        KeyFileError: the device's keys cannot be used.
        PackageError: a model package cannot be used.
    """
    try:
        state = lock(base / settings.agent.state)
    except AlreadyRunningError:
        return _ask_by_file(question, base=base, task=task)
    with state:
        return _ask_here(question, settings=settings, base=base, task=task)


def _ask_here(asked: Question, *, settings: AgentSettings, base: Path, task: TaskSection) -> Answer:
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    data = asked.data
    outcome: list[Delivery | Exception] = []

    def end(found: Delivery | Exception) -> None:
        outcome.append(found)
        queue.put(Stop())

    identity = os.urandom(_IDENTITY_BYTES).hex()
    arrived = Arrived(task.name, _SOURCE, identity, lambda most: data[:most], _taken, end)
    question = replace(arrived, conversation=asked.conversation)
    ticket = ticket_of(question, data)
    with ExitStack() as last:
        planned = plan(settings, base)
        builder = Tasks(local=None, stdout=sys.stdout, counters=Counter())
        last.callback(builder.stop)
        # Earlier answers for standard output or a topic wait in the outbox for the agent itself.
        tasks = {
            each.name: built
            for each, built in zip(planned.tasks, builder.build(planned).values(), strict=True)
            if each.target.kind == "folder" or each.name == task.name
        }
        usual = tasks[task.name].deliver
        ours = replace(tasks[task.name], deliver=partial(_deliver, ticket, end, usual))
        parts = AgentParts(
            credentials=load_settled(base / settings.agent.credentials),
            host=planned.broker.host,
            port=planned.broker.port,
            tls=planned.broker.tls,
            state=base / settings.agent.state,
            tasks={**tasks, task.name: ours},
            queue=queue,
            resend_s=settings.agent.resend_s,
            max_questions=settings.agent.max_questions,
            conversation_s=settings.agent.conversation_s,
            find=finder(planned.names),
        )
        loop = last.enter_context(agent_loop(parts))
        queue.put(question)
        loop.run()
    return _answered(outcome)


def _deliver(
    ticket: UUID,
    end: Callable[[Delivery], None],
    usual: Callable[[Delivery], None],
    delivery: Delivery,
) -> None:
    if delivery.ticket != ticket:
        usual(delivery)
    elif delivery.final:
        end(delivery)


def _answered(outcome: list[Delivery | Exception]) -> Answer:
    match outcome:
        case [Exception() as error, *_]:
            raise error
        case [Delivery() as delivery, *_]:
            return read_answer(delivery_json(delivery))
        case _:
            raise TimeoutError("the agent ended without an answer")


def _taken() -> None:
    """The command line cannot be asked twice, so there is nothing to remove."""


def _ask_by_file(question: Question, *, base: Path, task: TaskSection) -> Answer:
    if task.input.path is None or task.output.path is None:
        raise CommandError(
            f"the agent runs, and task {task.name!r} takes its questions from "
            f"{task.input.kind} and answers to {task.output.kind}: ask it there, "
            "or name a --task with folders"
        )
    inbox, outbox = base / task.input.path, base / task.output.path
    name, asked_s = _drop(question, inbox), time.time()
    reason = inbox / REJECTED / f"{name}.reason"
    give_up_s = time.monotonic() + task.patience_s + _SLACK_S
    while time.monotonic() < give_up_s:
        for path in _since(outbox, asked_s - _CLOCK_GRAIN_S):
            found = read_answer(path.read_text(encoding="utf-8"))
            if found["source"] == name and found["final"]:
                return found
        with suppress(FileNotFoundError):
            raise InputError(reason.read_text(encoding="utf-8").strip())
        time.sleep(_POLL_S)
    raise TimeoutError(f"the agent gave no answer; it would be in {outbox}, to {name}")


def _drop(question: Question, inbox: Path) -> str:
    """Put a question into a folder, whole, under a name that no other has."""
    inbox.mkdir(parents=True, exist_ok=True)
    talk = f"{question.conversation}{CONVERSATION_MARK}" if question.conversation else ""
    name = f"{talk}ask-{os.urandom(_IDENTITY_BYTES).hex()}.txt"
    write_whole(inbox / name, question.data)
    return name


def _since(folder: Path, start_s: float) -> list[Path]:
    """The answers that were written in the meantime."""
    return [path for path in folder.glob("*.json") if path.stat().st_mtime >= start_s]


def read_answer(line: str) -> Answer:
    """Read what every output writes."""
    document = json.loads(line)
    if not isinstance(document, dict):
        raise TypeError("an answer is one JSON object")
    return document
