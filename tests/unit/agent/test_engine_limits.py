"""An engine child that takes too much, or comes in the way when memory is short."""

from contextlib import closing
from pathlib import Path

import pytest

from agent.models.engine import Engine
from agent.models.model import ModelError
from broker.wire.payload import PayloadKind
from tests.unit.agent.children import DOMAIN, WINDOW, Stopped, masked, pid_of
from tests.unit.package.packages import brought

MIB = 1_048_576
PYTHON_ALONE = 4 * MIB  # writable memory in which no engine can be loaded
PLENTY = 1024 * MIB


def question(engine: Engine) -> str:
    return engine.draft(masked(WINDOW, PayloadKind.WINDOW), DOMAIN).answer


def limit_of(pid: int) -> int:
    """The most writable memory of a process, in bytes; as the kernel sees it."""
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    (line,) = (each for each in limits.splitlines() if each.startswith("Max data size"))
    return int(line.split()[3])


def test_the_kernel_ends_the_child_before_the_agent(tmp_path: Path) -> None:
    engine = Engine(brought(tmp_path))
    with closing(Stopped(engine)):
        engine.load()

        child = int(Path(f"/proc/{pid_of(engine)}/oom_score_adj").read_text())

    assert child >= int(Path("/proc/self/oom_score_adj").read_text()) + 500


def test_a_child_within_its_memory_answers(tmp_path: Path) -> None:
    engine = Engine(brought(tmp_path), max_memory_bytes=PLENTY)
    with closing(Stopped(engine)):
        assert question(engine)
        assert limit_of(pid_of(engine)) == PLENTY


def test_a_child_that_wants_more_than_its_memory_costs_an_answer(tmp_path: Path) -> None:
    engine = Engine(brought(tmp_path), max_memory_bytes=PYTHON_ALONE)
    with closing(Stopped(engine)), pytest.raises(ModelError):
        question(engine)


def test_other_threads_are_another_child_for_the_same_model(tmp_path: Path) -> None:
    engine = Engine(brought(tmp_path), threads=2)
    with closing(Stopped(engine)):
        before, first = question(engine), pid_of(engine)

        engine.work_with(1)
        engine.work_with(1)

        assert engine.threads == 1
        assert question(engine) == before
        command = Path(f"/proc/{pid_of(engine)}/cmdline").read_bytes().split(b"\0")
        assert command[-4:-1] == [b"1", b"fast", b"0"]
        assert pid_of(engine) != first
        assert engine.starts == 2


def test_the_same_threads_leave_the_child_alone(tmp_path: Path) -> None:
    engine = Engine(brought(tmp_path), threads=2)
    with closing(Stopped(engine)):
        engine.load()

        engine.work_with(2)

        assert engine.pid is not None
