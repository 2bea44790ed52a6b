"""An agent that answers while memory runs out, in a control group with a limit.

    a control group: [ agent, its engine child, a process that takes all the rest ]
    texts -> inbox -> answers; in the midst of them the kernel ends the child

Every text must have its answer, and the agent must be the same process to the end.
"""

import signal
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

_TOGETHER = 50  # texts that lie in the inbox at most
_PATIENCE_S = 90.0  # for an answer; a child that died costs a start, and a pause if it dies again
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
    kills: int  # engine children that the kernel ended for want of memory
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
        memory_group(limit_mb * _MIB) as group,  # first: it may want to be alone where it is
        tempfile.TemporaryDirectory() as name,
        running_broker(Path(name) / "broker") as broker,
    ):
        folder = Path(name)
        settings = write_settings(folder, make_keys(folder / "fleet"), broker)
        command = group.inside(run_command(settings))
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as agent:  # noqa: S603 - ours
            try:
                started_s = time.monotonic()
                _wait((folder / INBOX).is_dir, agent)
                kills = _ask_all(folder, texts, agent, group, progress)
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
            kills=kills,
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
) -> int:
    """Ask, with the memory taken from the half on; return how many engine children that ended.

    The kernel may end the taker a moment later: a child that is gone gives its memory back page by
    page, and whoever wants some meanwhile finds none, and is the largest left.
    """
    half, last = texts // 2, texts - _TOGETHER
    _feed(folder, range(half), agent, progress)
    _wait(lambda: bool(children(agent.pid)), agent)
    before = set(children(agent.pid))
    words = module("firstline.bench.hog", str(group.folder / group.events))
    with subprocess.Popen(group.inside(words)) as taker:  # noqa: S603 - our own module
        _feed(folder, range(half, last), agent, progress)
    kills = group.kills - (taker.returncode == -signal.SIGKILL)
    _feed(folder, range(last, texts), agent, progress)  # so that somebody misses the child
    _wait(lambda: answers(folder) == texts, agent)
    if kills < 1 or before & set(children(agent.pid)):
        raise PressureError(f"the kernel ended no engine child (the taker: {taker.returncode})")
    return kills


def _feed(
    folder: Path,
    numbers: range,
    agent: subprocess.Popen[bytes],
    progress: Callable[[int], None],
) -> None:
    for number in numbers:
        put(folder, f"t{number}", _TEXTS[number % len(_TEXTS)].format(f"room {number}"))
        _wait(lambda most=number: answers(folder) > most - _TOGETHER, agent)  # type: ignore[misc]
        progress(1)


def _wait(wanted: Callable[[], bool], agent: subprocess.Popen[bytes]) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while not wanted():
        if time.monotonic() > give_up_s:
            raise PressureError("the agent gave no answer")
        if agent.poll() is not None:
            raise PressureError(f"the agent has ended, exit code {agent.returncode}")
        time.sleep(0.02)
