"""A start that finds its slots unreadable says so: the factory's packages run."""

from collections import Counter
from pathlib import Path

import pytest

from agent.update.slots import FILE, UPDATES
from firstline.updating import open_slots


@pytest.mark.parametrize(("content", "lost"), [(b"{", 1), (b"{}", 0)])
def test_a_start_that_lost_its_slots_is_counted(tmp_path: Path, content: bytes, lost: int) -> None:
    (tmp_path / UPDATES).mkdir()
    (tmp_path / UPDATES / FILE).write_bytes(content)
    counters: Counter[str] = Counter()

    _, holds = open_slots(tmp_path, counters)

    assert (holds, counters["slots_lost"]) == (True, lost)
