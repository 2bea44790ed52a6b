"""Which variant a board takes, over many boards."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from agent.update.board import Board, look, measured
from agent.update.choose import ENGINE_MB, Fits, Misfit, choose, misfits
from broker.package.speed import Speed
from broker.wire.release import PackagePlan
from tests.unit.update.packages import HERE, plan

BOARD = Board(
    ram_mb=400,
    disk_mb=1000,
    cores=4,
    cpu=frozenset({"asimd", "asimddp"}),
    engines=frozenset({"onnxruntime"}),
    speed=HERE,
)
BEST_FIRST = [
    plan("f16", mb=800, ram_mb=900, cores=4),
    plan("q8", mb=400, ram_mb=450, cores=2),
    plan("q4", mb=200, ram_mb=240),
    plan("tiny", mb=20, ram_mb=25),
]


def test_the_first_that_fits_is_taken() -> None:
    assert choose([plan("a", ram_mb=4000), plan("b"), plan("c")], BOARD) == Fits(1)


@pytest.mark.parametrize(
    ("demand", "words"),
    [
        ({"engine": "llama.cpp"}, "the engine llama.cpp, which is not installed"),
        ({"cores": 8}, "8 cores, here are 4"),
        ({"cpu": ("asimd", "sve")}, "a processor with sve"),
        ({"score": 501.0}, "a speed of 501, this board has 500"),
        ({"ram_mb": 323}, "401 MB of memory, 400 are free"),
        ({"mb": 985}, "1001 MB on the disk, 1000 are free"),
    ],
)
def test_what_does_not_fit_says_why(demand: dict[str, object], words: str) -> None:
    assert [f"needs {words}"] == list(misfits(plan(**demand), BOARD))  # type: ignore[arg-type]


def test_if_nothing_fits_every_variant_tells_its_reason() -> None:
    found = choose([plan("a", cores=9), plan("b", cores=8)], BOARD)

    assert found == Misfit(
        ("a needs 9 cores, here are 4", "b needs 8 cores, here are 4"),
    )


@pytest.mark.parametrize("share", [0.9, 1.0, 1.1])
def test_over_a_matrix_of_boards_nothing_runs_out_of_memory_and_the_best_is_a_step_away(
    share: float,
) -> None:
    """`share`: what a model really takes, of what its package says."""
    for ram_mb, disk_mb, cores in product(
        (64, 128, 256, 512, 1024, 2048), (50, 500, 5000), (1, 2, 4)
    ):
        board = replace(BOARD, ram_mb=ram_mb, disk_mb=disk_mb, cores=cores)
        best = next(
            (place for place, each in enumerate(BEST_FIRST) if _runs(each, board, share)),
            len(BEST_FIRST),
        )

        match choose(BEST_FIRST, board):
            case Fits(place):
                assert _runs(BEST_FIRST[place], board, share), (board, place)
                assert place - best <= 1, (board, place, best)
            case Misfit(reasons):
                assert len(reasons) == len(BEST_FIRST)
                assert len(BEST_FIRST) - best <= 1


def _runs(each: PackagePlan, board: Board, share: float) -> bool:
    """Whether a variant would run on a board: what it really takes is there."""
    needs = each.needs
    takes_mb = needs.ram_mb * min(share, 1.0 + 20 / max(1, needs.ram_mb)) + ENGINE_MB[needs.engine]
    on_disk_mb = each.length / 1_000_000
    return takes_mb <= board.ram_mb and on_disk_mb <= board.disk_mb and needs.cores <= board.cores


def test_this_machine_is_measured_once(tmp_path: Path) -> None:
    first = measured(tmp_path)

    assert measured(tmp_path) == first
    assert first.compute > 1.0 < first.memory
    (tmp_path / "speed.json").write_text('{"machine": "another", "compute": 1, "memory": 1}')
    assert measured(tmp_path) != Speed(1.0, 1.0)


def test_this_machine_is_seen_as_it_is(tmp_path: Path) -> None:
    board = look(tmp_path, HERE, freed_mb=7)

    assert board.cores >= 1
    assert board.ram_mb > 7
    assert board.disk_mb > 0
    assert "onnxruntime" in board.engines
