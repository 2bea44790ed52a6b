"""An agent that answers while memory runs out, in a control group with a limit.

    a control group: [ agent, its engine child, a process that takes all the rest ]
    texts -> inbox -> answers; in the midst of them the kernel ends the child

Every text must have its answer, and the agent must be the same process to the end.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broker.fleet.mosquitto import running_broker
from firstline.bench.group import MemoryGroup, memory_group
from firstline.bench.lone_agent import (
    INBOX,
    answers,
    make_keys,
    module,
    put,
    run_command,
    write_settings,
)
from firstline.bench.proc import children

_TOGETHER = 50  # texts that lie in the inbox at once
_PATIENCE_S = 90.0  # for a batch; a child that died costs a start, and a pause if it dies again
_TEXTS = ("turn on the lights in the {}", "is it warm in the {}", "play some jazz in the {}")
_MIB = 1_048_576


class PressureError(Exception):
    """The agent did not do what was to be measured."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """The figures."""

    texts: int
    answered: int
    lost: int
    kills: int  # processes that the kernel ended for want of memory
    agent_survived: bool
    peak_mb: float  # MiB, of the whole group, pages of files included
    limit_mb: int
    group_version: int  # of control groups
    answers_per_s: float


def measure(texts: int, limit_mb: int, progress: Callable[[int], None]) -> Pressure:
    """Ask, take the memory away in the midst of it, and count.

    Raises:
        GroupUnavailableError: no control group can be made here.
        PressureError: the agent did not start, or the memory did not run out.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        running_broker(Path(name) / "broker") as broker,
        memory_group(limit_mb * _MIB) as group,
    ):
        folder = Path(name)
        settings = write_settings(folder, make_keys(folder / "fleet"), broker)
        command = group.inside(run_command(settings))
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as agent:  # noqa: S603 - ours
            try:
                started_s = time.monotonic()
                _wait((folder / INBOX).is_dir, agent)
                _ask_all(folder, texts, agent, group, progress)
                took_s = time.monotonic() - started_s
                survived = agent.poll() is None
            finally:
                agent.terminate()
                agent.wait(_PATIENCE_S)
        answered = answers(folder)
        return Pressure(
            texts=texts,
            answered=answered,
            lost=texts - answered,
            kills=group.kills,
            agent_survived=survived,
            peak_mb=round(group.peak_mb, 1),
            limit_mb=limit_mb,
            group_version=group.version,
            answers_per_s=round(answered / took_s, 1),
        )


def _ask_all(
    folder: Path,
    texts: int,
    agent: subprocess.Popen[bytes],
    group: MemoryGroup,
    progress: Callable[[int], None],
) -> None:
    pressed = False
    for first in range(0, texts, _TOGETHER):
        batch = range(first, min(first + _TOGETHER, texts))
        for number in batch:
            put(folder, f"t{number}", _TEXTS[number % len(_TEXTS)].format(f"room {number}"))
        if not pressed and batch.stop * 2 >= texts:
            _take_the_memory(group, agent)
            pressed = True
        _wait(lambda wanted=batch.stop: answers(folder) >= wanted, agent)  # type: ignore[misc]
        progress(len(batch))


def _take_the_memory(group: MemoryGroup, agent: subprocess.Popen[bytes]) -> None:
    """Take it until the kernel ends the engine child."""
    _wait(lambda: bool(children(agent.pid)), agent)
    words = module("firstline.bench.hog", str(group.folder / group.events))
    hog = subprocess.run(group.inside(words), check=False)  # noqa: S603 - our own module
    if hog.returncode != 0:
        raise PressureError("memory did not run out, or the kernel ended who took it")


def _wait(wanted: Callable[[], bool], agent: subprocess.Popen[bytes]) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while not wanted():
        if time.monotonic() > give_up_s:
            raise PressureError("the agent gave no answer")
        if agent.poll() is not None:
            raise PressureError(f"the agent has ended, exit code {agent.returncode}")
        time.sleep(0.02)
