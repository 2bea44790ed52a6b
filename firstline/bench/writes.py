"""What the agent writes to its disk: idle, for answers that it keeps, for questions that it asks.

    a broker, a worker, an agent --> nothing happens --> 1,000 kept --> 1,000 asked

An SD card wears out by writing. See `disk.py` for what is counted: what is in memory only, as /run
is, does not count.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.shell.status import STATUS
from broker.fleet.mosquitto import RunningBroker, running_broker
from firstline.bench.disk import Disk, Tally, written_bytes
from firstline.bench.lone_agent import (
    INBOX,
    answers,
    make_keys,
    module,
    put,
    run_command,
    write_settings,
)

_SETTLE_S = 4.0  # without a write, and the work of a start, or of the last answer, is done
_RESTLESS_S = 20.0  # who writes for so long does not stop, and is measured as he is
_PATIENCE_S = 60.0  # without one more answer
_LOOK_S = 0.05
_TOGETHER = 20  # questions that lie in the inbox at once
_DAY_S = 86_400.0
_MB, _KIB = 1e6, 1024.0
_WORKER = """\
[worker]
credentials = "{keys}"
state = "{state}"
[broker]
host = "{host}"
port = {port}
[[engines]]
package = "commands-large"
"""


class WritesError(Exception):
    """The agent did not do what was to be measured."""


@dataclass(frozen=True, slots=True)
class Writes:
    """The figures."""

    idle_s: float  # how long it was watched
    idle_bytes: int  # that the agent wrote in this time
    idle_mb_per_day: float  # MB
    questions: int  # of each kind
    kib_per_kept: float  # KiB, with the answer's own file
    kib_per_asked: float  # KiB, the same
    # Of the whole disk, whoever wrote, with what the file system adds; None: nobody counts.
    disk_idle_mb_per_day: float | None
    disk_kib_per_kept: float | None
    disk_kib_per_asked: float | None


def measure(
    folder: Path,
    idle_s: float,
    questions: int,
    progress: Callable[[int], None],
    *,
    settle_s: float = _SETTLE_S,
) -> Writes:
    """Watch an agent whose files are in a new folder in `folder`; `progress` hears of seconds.

    It is at rest when it has written nothing for `settle_s`.

    Raises:
        WritesError: it gave no answer.
        NoDiskError: nothing there is on a disk.
    """
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        tempfile.TemporaryDirectory() as elsewhere,
        running_broker(Path(elsewhere) / "broker") as broker,
    ):
        stage = _Stage(
            own=Path(name),
            fleet=Path(elsewhere) / "fleet",
            broker=broker,
            disk=Disk(Path(name)),
            settle_s=settle_s,
        )
        make_keys(stage.fleet)
        with _worker(Path(elsewhere), broker):
            with stage.agent(max_error=1.0) as pid:
                idle = stage.idle(pid, idle_s, progress)
                kept = stage.asked(pid, questions)
            with stage.agent(max_error=0.0) as pid:
                asked = stage.asked(pid, questions)
    a_day, each = _DAY_S / idle_s / _MB, 1 / questions / _KIB
    return Writes(
        idle_s=round(idle_s, 1),
        idle_bytes=idle.process,
        idle_mb_per_day=round(idle.process * a_day, 2),
        questions=questions,
        kib_per_kept=round(kept.process * each, 2),
        kib_per_asked=round(asked.process * each, 2),
        disk_idle_mb_per_day=_scaled(idle.disk, a_day),
        disk_kib_per_kept=_scaled(kept.disk, each),
        disk_kib_per_asked=_scaled(asked.disk, each),
    )


def _scaled(counted: int | None, by: float) -> float | None:
    return None if counted is None else round(counted * by, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """An agent's own folder on the disk, and all else somewhere else."""

    own: Path
    fleet: Path
    broker: RunningBroker
    disk: Disk
    settle_s: float

    @contextmanager
    def agent(self, *, max_error: float) -> Iterator[int]:
        """The agent's process id, while it runs."""
        keys = self.fleet / "devices" / "board-1"
        settings = write_settings(self.own, keys, self.broker, max_error=max_error)
        with _running(run_command(settings)) as pid:
            _until((self.own / INBOX).is_dir, "the agent did not start")
            yield pid

    def idle(self, pid: int, idle_s: float, progress: Callable[[int], None]) -> Tally:
        """What is written while nothing happens, once it is online and has done what it had to."""
        _until(self._is_online, "the agent did not reach its broker")
        self._rest(pid)
        before = self.disk.tally(pid)
        end_s = time.monotonic() + idle_s
        while (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(1.0, left_s))
            progress(1)
        return self.disk.tally(pid) - before

    def asked(self, pid: int, questions: int) -> Tally:
        """What is written for so many questions, a first one not among them."""
        _ask(self.own, "warm-up", 1)
        before = self.disk.tally(pid)
        for first in range(0, questions, _TOGETHER):
            _ask(self.own, f"q{first}", min(_TOGETHER, questions - first))
        self._rest(pid)
        return self.disk.tally(pid) - before

    def _is_online(self) -> bool:
        with suppress(OSError):  # it was not written yet
            return bool(json.loads((self.own / "state" / STATUS).read_bytes())["online"])
        return False

    def _rest(self, pid: int) -> None:
        """Wait until it has written nothing for `settle_s`."""
        give_up_s = time.monotonic() + _RESTLESS_S
        written, since_s = written_bytes(pid), time.monotonic()
        while time.monotonic() < min(since_s + self.settle_s, give_up_s):
            time.sleep(_LOOK_S)
            if (now := written_bytes(pid)) != written:
                written, since_s = now, time.monotonic()


def _ask(folder: Path, name: str, count: int) -> None:
    wanted = answers(folder) + count
    for number in range(count):
        put(folder, f"{name}-{number}", f"turn on the lights in room {number}")
    _until(lambda: answers(folder) >= wanted, "the agent gave no answer")


def _until(happened: Callable[[], bool], otherwise: str) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > give_up_s:
            raise WritesError(otherwise)
        time.sleep(_LOOK_S)


@contextmanager
def _worker(folder: Path, broker: RunningBroker) -> Iterator[None]:
    (keys,) = (folder / "fleet" / "workers").iterdir()
    settings = folder / "worker.toml"
    text = _WORKER.format(keys=keys, state=folder / "worker", host=broker.host, port=broker.port)
    settings.write_text(text, encoding="utf-8")
    with _running(module("firstline", "worker", "run", "--settings", str(settings))):
        yield


@contextmanager
def _running(command: list[str]) -> Iterator[int]:
    # Modules that Python compiles are written once in a life, and are no work of the agent.
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stderr=quiet, env=environment) as process:  # noqa: S603 - ours
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)
