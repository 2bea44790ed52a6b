"""What a model needs is known before it is loaded."""

import os
from pathlib import Path

import pytest

from broker.package.errors import EngineError
from broker.package.llama import predicted
from broker.package.ram import Need, check_room, free_bytes, whole_bytes
from tests.unit.package.gguf_files import HEADS, WIDTH, write_model


def test_the_need_of_a_context_grows_with_it(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write_model(path)

    small, large = predicted(path, 64), predicted(path, 256)

    assert small.weights == path.stat().st_size
    assert small.cache == 2 * 64 * HEADS * 2 * (WIDTH // HEADS)
    assert large.cache == 4 * small.cache
    assert 0 < small.working <= large.working


def test_a_model_that_is_larger_than_the_memory_is_refused_with_the_numbers(
    tmp_path: Path,
) -> None:
    path = tmp_path / "model.gguf"
    write_model(path)
    os.truncate(path, 1 << 42)  # sparse: 4 TiB that take no disk

    with pytest.raises(EngineError, match=r"needs about \d+ MB .* and \d+ MB are free"):
        check_room(str(path), predicted(path, 256), free_bytes())


def test_a_model_that_fits_is_let_in() -> None:
    check_room("model", Need(weights=5, cache=3, working=2), free=10)

    with pytest.raises(EngineError):
        check_room("model", Need(weights=5, cache=3, working=3), free=10)


def test_there_is_memory_here() -> None:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    assert 0 < free_bytes() <= total


KIB, MIB = 1024, 1_048_576
MACHINE = {"proc/meminfo": f"MemTotal: {512 * KIB} kB\nMemAvailable: {400 * KIB} kB\n"}
V2 = {
    "proc/self/cgroup": "0::/system.slice/firstline.service\n",
    "sys/fs/cgroup/system.slice/firstline.service/memory.max": f"{256 * MIB}\n",
    "sys/fs/cgroup/system.slice/firstline.service/memory.current": f"{100 * MIB}\n",
    "sys/fs/cgroup/system.slice/firstline.service/memory.stat": (
        f"anon 5\ninactive_file {20 * MIB}\nactive_file 7\n"
    ),
    "sys/fs/cgroup/system.slice/memory.max": "max\n",
    "sys/fs/cgroup/system.slice/memory.current": "5\n",
}
V1 = {
    "proc/self/cgroup": "9:cpu,cpuacct:/elsewhere\n4:memory:/jobs/one\n0::/\n",
    "sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes": f"{256 * MIB}\n",
    "sys/fs/cgroup/memory/jobs/one/memory.usage_in_bytes": f"{100 * MIB}\n",
    "sys/fs/cgroup/memory/jobs/one/memory.stat": (
        f"inactive_file 3\ntotal_inactive_file {20 * MIB}\n"
    ),
    "sys/fs/cgroup/memory/jobs/memory.limit_in_bytes": f"{200 * MIB}\n",
    "sys/fs/cgroup/memory/jobs/memory.usage_in_bytes": f"{120 * MIB}\n",
    "sys/fs/cgroup/memory/jobs/memory.stat": f"inactive_file 3\ntotal_inactive_file {10 * MIB}\n",
}


@pytest.mark.parametrize(
    ("files", "free", "whole"),
    [
        ({}, 400 * MIB, 512 * MIB),
        (V2, 176 * MIB, 256 * MIB),
        (V1, 90 * MIB, 200 * MIB),  # the smaller of its own limit and the one around it
    ],
    ids=["no groups", "version 2", "version 1"],
)
def test_the_limit_of_a_control_group_counts(
    tmp_path: Path, files: dict[str, str], free: int, whole: int
) -> None:
    for name, text in (MACHINE | files).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert free_bytes(tmp_path) == free
    assert whole_bytes(tmp_path) == whole
