"""`firstline ask`: one question, one answer, and who gave it."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from firstline.asking.alone import Trial, ask_alone
from firstline.chosen_task import chosen_task
from firstline.console import JsonOption, show
from firstline.exits import ExitCode
from firstline.shipped import package_folder

# It may become part of a file's name.
_CONVERSATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_BYTES = 64 * 1024 * 1024  # the largest input that a task may allow


def ask(  # noqa: PLR0913 - each is an option of the command
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="The question; - reads it from stdin.")
    ],
    *,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Ask the whole way, as this agent.")
    ] = None,
    conversation: Annotated[
        str,
        typer.Option(metavar="NAME", help="With settings: values keep their placeholders in it."),
    ] = "",
    task: Annotated[str | None, typer.Option(metavar="NAME", help="Which task of it.")] = None,
    package: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="Without settings: the model to ask.")
    ] = "commands-small",
    domain: Annotated[str, typer.Option(help="Without settings: which head of it.")] = "home",
    max_error: Annotated[
        float, typer.Option(min=0, max=1, help="Without settings: the gate's bound.")
    ] = 0.05,
    as_json: JsonOption = False,
) -> ExitCode:
    """Ask one question and wait for the answer.

    Without settings the small model on this machine answers alone, and you see whether an agent
    would have asked the cloud. With an agent's settings the question goes the whole way.
    """
    data = sys.stdin.buffer.read(_MOST_BYTES) if text == "-" else os.fsencode(text)
    if settings is None:
        if conversation:
            raise typer.BadParameter("A --conversation needs --settings: it is kept on disk.")
        trial = ask_alone(
            data, package=package_folder(package, Path()), domain=domain, max_error=max_error
        )
        show(asdict(trial), _trial_lines(trial), as_json=as_json)
        return ExitCode.OK
    answer = _ask_as_agent(data, settings, task, _named(conversation))
    show(answer, _answer_lines(answer), as_json=as_json)
    return ExitCode.PARTIAL if answer["origin"] == "degraded" else ExitCode.OK


def _named(conversation: str) -> str:
    if conversation and not _CONVERSATION.fullmatch(conversation):
        raise typer.BadParameter(
            "A conversation's name has letters, digits, dots, dashes and underscores, 64 at most."
        )
    return conversation


def _ask_as_agent(
    data: bytes, path: Path, name: str | None, conversation: str
) -> Mapping[str, object]:
    from firstline.asking.through import Question, ask_through  # noqa: PLC0415 - MQTT, SQLite, watchdog
    from firstline.settings.agent import AgentSettings  # noqa: PLC0415 - pydantic
    from firstline.settings.source import read  # noqa: PLC0415 - pydantic

    settings = read(path, AgentSettings)
    task = chosen_task(settings, name, path=path, command="firstline ask TEXT")
    question = Question(data, conversation)
    return ask_through(question, settings=settings, base=path.resolve().parent, task=task)


def _trial_lines(trial: Trial) -> Iterator[str]:
    yield trial.answer
    yield ""
    yield f"confidence  {trial.confidence:.1%}"
    yield f"model       {trial.model}, {trial.elapsed_ms:.1f} ms"
    would = f"would ask the cloud: {trial.would_ask}" if trial.would_ask else "would keep this"
    yield f"an agent    {would}"
    yield from (f"note        {flag}" for flag in trial.flags)


def _answer_lines(answer: Mapping[str, object]) -> Iterator[str]:
    yield f"{answer['answer']}"
    yield ""
    yield f"origin      {answer['origin']}"
    yield f"confidence  {answer['confidence']:.1%}"
    yield f"model       {answer['model']}"
    yield f"time        {answer['elapsed_ms']} ms"
    flags = answer["flags"]
    yield from (f"note        {flag}" for flag in (flags if isinstance(flags, list) else ()))
