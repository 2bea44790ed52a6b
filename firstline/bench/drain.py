"""How fast a device that was offline gets rid of its questions, and in how much memory.

    no broker:    questions --> mask, seal, outbox          each on the disk before the next
    then broker:  outbox --> mosquitto --> workers --> mosquitto --> stored, delivered, settled

Agent, broker and each worker are processes; bare paho goes through the same broker afterwards.
"""

import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.fleet.mosquitto import LOOPBACK
from firstline.bench.bare import BareDevice
from firstline.bench.figures import ON_DISK
from firstline.bench.fleet import FleetKeys, make_fleet
from firstline.bench.proc import cpu_s
from firstline.bench.programs import BrokerProgram, Program
from firstline.bench.sealing import seals_per_s

_BARE = 4000
_BARE_BYTES = 1024
_KIB = 1024
STEPS = 3


class DrainError(Exception):
    """The agent did not do what was to be measured."""


@dataclass(frozen=True, slots=True)
class Drain:
    """The figures."""

    queued: int  # questions that waited for the link
    agent_rss_mb: float  # MiB, the most that the agent had
    drained_per_s: float  # sealed, answered by a worker and settled, from the first publish on
    idle_rss_mb: float  # MiB, before its first question
    growth_mb: float  # MiB, the difference
    queued_per_s: float  # masked, sealed and on the disk, while offline
    sends_per_request: float
    written_kb_per_question: float  # by the agent, to the disk: queued, answered, settled
    agent_cpu_ms: float  # of a core for each question, while it drains
    worker_cpu_ms: float  # of all workers
    broker_cpu_ms: float
    bare_per_s: float  # paho alone through the same broker, nothing sealed or kept, same run
    seals_per_s: float  # question and reply sealed, signed, verified, opened: on one core, alone


def measure(questions: int, workers: int, progress: Callable[[int], None]) -> Drain:
    """Queue `questions` offline, then let them go to a pool of so many `workers`.

    Raises:
        DrainError: they were not all answered by a worker.
    """
    with tempfile.TemporaryDirectory(dir=ON_DISK) as name:
        folder = Path(name)
        keys, broker = make_fleet(folder / "fleet"), BrokerProgram(folder / "broker")
        broker.start()
        broker.stop()
        with _agent(folder, keys, broker.port, questions) as agent:
            queued = _told(agent)
            progress(1)
            broker.start()
            try:
                drained = _drained(folder, keys, broker, agent, workers)
                progress(1)
                with BareDevice(LOOPBACK, broker.port) as device:
                    bare_per_s = device.flood(secrets.token_bytes(_BARE_BYTES), _BARE)
            finally:
                broker.stop()
        progress(1)
        return _figures(questions, queued | drained, bare_per_s, seals_per_s(keys))


def _figures(questions: int, told: dict[str, float], bare_per_s: float, seals: float) -> Drain:
    if told["cloud"] != questions or told["left"]:
        raise DrainError(f"{told['cloud']:.0f} of {questions} were answered by a worker")
    return Drain(
        queued=questions,
        agent_rss_mb=round(told["most_mb"], 1),
        drained_per_s=round(questions / told["drained_s"], 1),
        idle_rss_mb=round(told["idle_mb"], 1),
        growth_mb=round(told["most_mb"] - told["idle_mb"], 1),
        queued_per_s=round(questions / told["queued_s"], 1),
        sends_per_request=round(told["sends"] / questions, 3),
        written_kb_per_question=round(told["written_bytes"] / _KIB / questions, 2),
        agent_cpu_ms=round(told["cpu_s"] * 1e3 / questions, 3),
        worker_cpu_ms=round(told["worker_cpu_s"] * 1e3 / questions, 3),
        broker_cpu_ms=round(told["broker_cpu_s"] * 1e3 / questions, 3),
        bare_per_s=round(bare_per_s, 1),
        seals_per_s=round(seals, 1),
    )


@contextmanager
def _agent(
    folder: Path, keys: FleetKeys, port: int, questions: int
) -> Iterator[subprocess.Popen[str]]:
    own = folder / "agent"
    own.mkdir()
    (own / "keys").symlink_to(keys.device)
    module, arguments = "firstline.bench.drain_agent", (str(own), str(port), str(questions))
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as agent:  # noqa: S603 - ours
        try:
            yield agent
        finally:
            agent.kill()


def _drained(
    folder: Path,
    keys: FleetKeys,
    broker: BrokerProgram,
    agent: subprocess.Popen[str],
    workers: int,
) -> dict[str, float]:
    arguments = (str(keys.worker), LOOPBACK, str(broker.port))
    logs = [folder / f"worker-{number}.log" for number in range(workers)]
    pool = [Program(log, "firstline.bench.echo_worker", *arguments) for log in logs]
    for worker in pool:
        worker.start()
    try:
        told = _told(agent)
        workers_cpu_s = sum(cpu_s(worker.pid) for worker in pool)
        return told | {"worker_cpu_s": workers_cpu_s, "broker_cpu_s": cpu_s(broker.pid)}
    finally:
        for worker in pool:
            worker.kill()


def _told(agent: subprocess.Popen[str]) -> dict[str, float]:
    assert agent.stdout is not None  # noqa: S101 - a pipe was asked for
    line = agent.stdout.readline()
    if not line:
        raise DrainError("the agent has ended by itself")
    told: dict[str, float] = json.loads(line)
    return told
