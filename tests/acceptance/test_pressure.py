"""Memory runs out under a real agent, and what is written to a real disk, in small."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.fleet.mosquitto import running_broker
from firstline.bench import pressure, writes
from firstline.bench.disk import NoDiskError, written_bytes
from firstline.bench.group import GroupUnavailableError, memory_group
from firstline.bench.lone_agent import INBOX, answers, make_keys, put, run_command, write_settings
from firstline.bench.proc import memory_mb
from firstline.exits import ExitCode

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]
TEXTS, LIMIT_MB = 200, 256
LONG = 20  # texts that want more memory than there is
PATIENCE_S = 60.0
IDLE_S = 6.0  # seconds: the agent's own status is written every five, in memory
MIB = 1_048_576
ON_DISK, IN_MEMORY = Path("/var/tmp"), Path("/dev/shm")  # noqa: S108 - folders of their own in them


@contextmanager
def agent(settings: Path, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    with said.open("wb") as sink, subprocess.Popen(run_command(settings), stderr=sink) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_until(wanted: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not wanted():
        assert time.monotonic() < give_up_s, "not in time"
        time.sleep(0.05)


def ignore(_steps: int) -> None:
    """Nobody is looking."""


def test_the_kernel_takes_the_engine_child_and_no_text_is_lost() -> None:
    try:
        with memory_group(LIMIT_MB * MIB):
            pass
    except GroupUnavailableError as error:
        pytest.skip(str(error))

    found = pressure.measure(TEXTS, LIMIT_MB, ignore)

    assert (found.answered, found.lost, found.agent_survived) == (TEXTS, 0, True)
    assert found.kills >= 1
    assert found.peak_mb <= LIMIT_MB


def test_an_agent_that_gets_no_memory_ends_and_the_next_one_answers(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with running_broker(tmp_path / "broker") as broker:
        settings = write_settings(tmp_path, make_keys(tmp_path / "fleet"), broker)
        with agent(settings, said) as first:
            wait_until((tmp_path / INBOX).is_dir)
            put(tmp_path, "t0", "turn on the lights")
            wait_until(lambda: answers(tmp_path) == 1)
            has = int(memory_mb(first.pid, "VmData") * MIB)
            resource.prlimit(first.pid, resource.RLIMIT_DATA, (has, resource.RLIM_INFINITY))
            for number in range(1, 1 + LONG):
                put(tmp_path, f"t{number}", f"call room {number}" * 10_000)
            code = first.wait(PATIENCE_S)

        assert code == ExitCode.FAILURE, said.read_text()
        assert "the agent is out of memory" in said.read_text()
        with agent(settings, said):
            wait_until(lambda: answers(tmp_path) == 1 + LONG)


@pytest.mark.timeout(400)  # one that never rests is waited for in each life
def test_an_idle_agent_leaves_the_disk_alone() -> None:
    if not writing_is_counted():
        pytest.skip(f"the kernel counts nothing that is written to {ON_DISK}")
    lives = (writes.measure(ON_DISK, IDLE_S, 40, ignore, settle_s=2.0) for _ in range(3))

    found = next((each for each in lives if each.idle_bytes == 0), None)  # else it is its habit

    assert found is not None
    page_kib = resource.getpagesize() / 1024
    assert 1 <= found.kib_per_kept / page_kib < 10  # one for each answer's file, and few more
    assert found.kib_per_asked > found.kib_per_kept


def writing_is_counted() -> bool:
    before = written_bytes(os.getpid())
    with tempfile.TemporaryFile(dir=ON_DISK) as file:
        file.write(bytes(MIB))
        file.flush()
        return written_bytes(os.getpid()) > before


def test_memory_is_no_disk() -> None:
    with pytest.raises(NoDiskError, match="is in memory"):
        writes.measure(IN_MEMORY, 1.0, 20, ignore)
