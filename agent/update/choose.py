"""Which variant of a package a board takes: the first in the rollout's order that fits.

The order is signed, so which variant is better is the operator's word, and whether it fits is the
board's. Without I/O: tests go through a matrix of boards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agent.update.board import Board
from broker.wire.release import Needs, PackagePlan

ENGINE_MB: Final = {"onnxruntime": 54, "llama.cpp": 42}  # a child before its model; measured
_RESERVE_MB: Final = 24  # of memory, for all else on the board to live on
_SPARE_MB: Final = 16  # of the disk
_MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Fits:
    """The one to take."""

    place: int  # in the sequence that was offered


@dataclass(frozen=True, slots=True)
class Misfit:
    """There is none."""

    reasons: tuple[str, ...]  # one for each variant

    def __str__(self) -> str:
        return "; ".join(self.reasons)


def choose(plans: Sequence[PackagePlan], board: Board) -> Fits | Misfit:
    """Choose among plans, the best first."""
    reasons = []
    for place, plan in enumerate(plans):
        wrong = ", ".join(misfits(plan, board))
        if not wrong:
            return Fits(place)
        reasons.append(f"{plan.variant} {wrong}")
    return Misfit(tuple(reasons))


def misfits(plan: PackagePlan, board: Board) -> Iterator[str]:
    """What keeps a plan from running on a board, in words."""
    needs = plan.needs
    if needs.engine not in board.engines:
        yield f"needs the engine {needs.engine}, which is not installed"
    if needs.cores > board.cores:
        yield f"needs {needs.cores} cores, here are {board.cores}"
    if missing := sorted(set(needs.cpu) - board.cpu):
        yield f"needs a processor with {' and '.join(missing)}"
    if needs.score > board.speed.compute:
        yield f"needs a speed of {needs.score:g}, this board has {board.speed.compute:g}"
    if (ram_mb := taken_mb(needs)) + _RESERVE_MB > board.ram_mb:
        yield f"needs {ram_mb + _RESERVE_MB} MB of memory, {board.ram_mb} are free"
    if (disk_mb := plan.length // _MB + _SPARE_MB) > board.disk_mb:
        yield f"needs {disk_mb} MB on the disk, {board.disk_mb} are free"


def taken_mb(needs: Needs) -> int:
    """What a child with the model takes, MB."""
    return needs.ram_mb + ENGINE_MB[needs.engine]
