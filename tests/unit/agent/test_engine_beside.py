"""The engine child runs on the processor of who asks, and only as long as he waits."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.models.beside import alike, beside
from agent.models.engine import Engine
from broker.wire.payload import PayloadKind
from tests.unit.agent.children import DOMAIN, WINDOW, Stopped, masked, pid_of
from tests.unit.package.packages import brought

TWO = len(os.sched_getaffinity(0)) > 1 and alike()
together = pytest.mark.skipif(not TWO, reason="one processor, or processors of several kinds")


@pytest.fixture
def other() -> Iterator[int]:
    """A process that waits."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


@together
def test_both_are_on_one_processor_and_the_caller_is_free_again(other: int) -> None:
    before = os.sched_getaffinity(0)
    with beside(other):
        during = os.sched_getaffinity(0)
        assert len(during) == 1
        assert os.sched_getaffinity(other) == during
    assert os.sched_getaffinity(0) == before


@together
def test_the_caller_is_free_again_after_an_error(other: int) -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(OSError, match="the child ended"), beside(other):
        raise OSError("the child ended")
    assert os.sched_getaffinity(0) == before


@together
def test_the_process_follows_the_caller_to_another_processor(other: int) -> None:
    before = os.sched_getaffinity(0)
    for processor in sorted(before)[:2]:
        os.sched_setaffinity(0, {processor})
        os.sched_yield()
        os.sched_setaffinity(0, before)
        with beside(other):
            assert os.sched_getaffinity(other) == os.sched_getaffinity(0)


@together
def test_a_process_that_has_ended_is_for_the_exchange_to_notice() -> None:
    before, gone = os.sched_getaffinity(0), _ended()
    with beside(gone):
        pass
    assert os.sched_getaffinity(0) == before


def test_who_has_one_processor_keeps_it(other: int) -> None:
    before, children = os.sched_getaffinity(0), os.sched_getaffinity(other)
    os.sched_setaffinity(0, {min(before)})
    try:
        with beside(other):
            assert os.sched_getaffinity(other) == children
        assert os.sched_getaffinity(0) == {min(before)}
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("capacities", "expected"),
    [([], True), (["1024"], True), (["1024", "1024"], True), (["446", "1024"], False)],
)
def test_large_and_small_processors_are_not_alike(
    tmp_path: Path, capacities: list[str], *, expected: bool
) -> None:
    for number, capacity in enumerate(capacities):
        folder = tmp_path / f"cpu{number}"
        folder.mkdir()
        (folder / "cpu_capacity").write_text(f"{capacity}\n", encoding="ascii")
    assert alike(tmp_path) is expected


def _ended() -> int:
    with subprocess.Popen(["/bin/true"]) as process:
        process.wait()
    return process.pid


@together
@pytest.mark.parametrize(("threads", "alone"), [(1, True), (2, False)])
def test_only_an_engine_of_one_thread_is_kept_on_one_processor(
    tmp_path: Path, threads: int, *, alone: bool
) -> None:
    before = os.sched_getaffinity(0)
    engine = Engine(brought(tmp_path), threads=threads)
    with closing(Stopped(engine)):
        engine.draft(masked(WINDOW, PayloadKind.WINDOW), DOMAIN)

        assert (len(os.sched_getaffinity(pid_of(engine))) == 1) is alone
        assert os.sched_getaffinity(0) == before
