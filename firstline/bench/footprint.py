"""What a resident agent weighs, how soon it is there, and how fast the command line answers.

    firstline agent run (a process) --> broker --> bench.presence hears that it is online
    one text in its folder --> the engine child starts --> its weight

Memory is PSS (proportional set size): shared pages count once, divided among those who share. So
this process imports nothing that the agent does: it would take half of the agent's libraries off
its weight.
"""

import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.fleet.mosquitto import RunningBroker, running_broker
from firstline.bench.lone_agent import (
    answers,
    make_keys,
    module,
    put,
    run_command,
    write_settings,
)
from firstline.bench.proc import children

_SETTLE_S = 3.0  # until start-up work is done
_PATIENCE_S = 30.0
_HELP_RUNS = 9
_START_RUNS = 5
STEPS = _START_RUNS + 1  # that `measure` reports


class FootprintError(Exception):
    """The agent did not do what was to be measured."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """The figures: medians where there are several runs."""

    idle_pss_mb: float  # MiB, connected, before its first question
    start_to_online_s: float  # from starting the process to its presence on the broker
    engine_child_pss_mb: float  # MiB, after its first answer
    help_ms: float
    idle_with_child_pss_mb: float  # MiB, the agent again, beside its child


def measure(progress: Callable[[int], None]) -> Footprint:
    """Start agents and weigh one.

    Raises:
        FootprintError: an agent did not come online, or gave no answer.
    """
    help_ms = [_help_ms() for _ in range(_HELP_RUNS)]
    progress(1)
    with tempfile.TemporaryDirectory() as name, running_broker(Path(name) / "broker") as broker:
        folder = Path(name)
        keys = make_keys(folder / "fleet")
        starts_s = []
        for session in range(1, _START_RUNS):
            with _agent(folder, keys, broker, session) as (_, start_s):
                starts_s.append(start_s)
            progress(1)
        with _agent(folder, keys, broker, _START_RUNS) as (pid, start_s):
            starts_s.append(start_s)
            time.sleep(_SETTLE_S)
            idle_mb = pss_mb(pid)
            _ask(folder)
            child_mb = sum(pss_mb(child) for child in children(pid))
            beside_mb = pss_mb(pid)
        progress(1)
    return Footprint(
        idle_pss_mb=round(idle_mb, 1),
        start_to_online_s=round(statistics.median(starts_s), 3),
        engine_child_pss_mb=round(child_mb, 1),
        help_ms=round(statistics.median(help_ms), 1),
        idle_with_child_pss_mb=round(beside_mb, 1),
    )


def pss_mb(pid: int) -> float:
    """Proportional set size of a process, MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise FootprintError(f"the kernel tells no PSS of process {pid}")


def _help_ms() -> float:
    started_s = time.perf_counter()
    subprocess.run(module("firstline", "--help"), check=True, capture_output=True)  # noqa: S603 - our own module
    return (time.perf_counter() - started_s) * 1e3


@contextmanager
def _agent(
    folder: Path, keys: Path, broker: RunningBroker, session: int
) -> Iterator[tuple[int, float]]:
    listen = module("firstline.bench.presence", broker.host, str(broker.port), str(session))
    run = run_command(write_settings(folder, keys, broker))
    with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as listener:  # noqa: S603 - ours
        _line(listener)  # "ready"
        started_s = time.monotonic()
        with subprocess.Popen(run, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
            try:
                start_s = float(_line(listener)) - started_s
                listener.wait(_PATIENCE_S)
                yield process.pid, start_s
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(_PATIENCE_S)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    line = process.stdout.readline()
    if not line:
        raise FootprintError("the agent did not come online")
    return line


def _ask(folder: Path) -> None:
    put(folder, "question", "turn on the lights in the kitchen")
    give_up_s = time.monotonic() + _PATIENCE_S
    while not answers(folder):
        if time.monotonic() > give_up_s:
            raise FootprintError("the agent gave no answer")
        time.sleep(0.05)
