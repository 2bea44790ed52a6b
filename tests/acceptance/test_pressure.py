"""Memory runs out under a real agent, and what is written to a real disk, in small."""

from pathlib import Path

import pytest

from firstline.bench import pressure, writes
from firstline.bench.disk import NoDiskError
from firstline.bench.group import GroupUnavailableError, memory_group

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]
TEXTS, LIMIT_MB = 200, 256
MIB = 1_048_576
ON_DISK, IN_MEMORY = Path("/var/tmp"), Path("/dev/shm")  # noqa: S108 - folders of their own in them


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


def test_an_idle_agent_leaves_the_disk_alone() -> None:
    found = writes.measure(ON_DISK, 2.0, 40, ignore, settle_s=1.0)

    assert found.idle_mb_per_day <= 20.0
    assert 4.0 <= found.kib_per_kept < 40.0  # a page for each answer's file, and little more
    assert found.kib_per_asked > found.kib_per_kept


def test_memory_is_no_disk() -> None:
    with pytest.raises(NoDiskError, match="is in memory"):
        writes.measure(IN_MEMORY, 1.0, 20, ignore)
