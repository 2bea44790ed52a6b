"""What a model needs is known before it is loaded."""

import os
from pathlib import Path

import pytest

from broker.package.errors import EngineError
from broker.package.llama import predicted
from broker.package.ram import Need, check_room, free_bytes
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
