"""Models that are swapped while questions come, and a broken one that is taken back.

    questions, one after the other --> loop --> engine child --> answers: whose, when?
    packages --self-test, switch, watch, accept--^      each round another version

The agent is the one that `firstline agent run` builds: settings, slots, planning process, engine
children, a broker. Only the download is left out: packages lie where the updater leaves them.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.update.book import Bounds
from broker.fleet.mosquitto import running_broker
from firstline.bench.figures import ON_DISK, percentile
from firstline.bench.fleet import make_fleet
from firstline.bench.swap_board import Asked, SwapBoard, swap_board
from firstline.bench.swap_packages import POISON, break_it, lay_down

_WATCH_S = 0.1
_PATIENCE_S = 120.0
_STILL = 1000  # questions while nothing is swapped, at the most
_ROLLBACKS = 3
_FEW = 100  # questions: somebody only tries it
_LONG_WATCH_S = 600.0


class SwapError(Exception):
    """A swap did not happen."""


@dataclass(frozen=True, slots=True)
class Swap:
    """The figures."""

    failed: int  # questions without the right answer by the board itself
    wrong_version: int  # answers by an earlier version than an answer before them, or a later one
    p99_ms: float  # of a question while models are swapped
    rollback_s: float  # longest, from the first question without an answer to the next with one
    requests: int
    swaps: int
    p99_still_ms: float  # while nothing is swapped
    p50_ms: float
    p50_still_ms: float
    longest_ms: float
    swap_s: float  # median, from a package that is there to one that is proven
    unanswered: int  # questions that a broken model cost, of all rollbacks
    rollbacks: int


def measure(requests: int, swaps: int, advance: Callable[[int], None]) -> Swap:
    """Ask `requests` questions, or more, while `swaps` packages take over.

    Raises:
        SwapError: a package did not take over, or was not taken back.
    """
    rollbacks_of = _ROLLBACKS if requests > _FEW else 1
    with tempfile.TemporaryDirectory(dir=ON_DISK) as name, _board(Path(name)) as board:
        still = [board.ask() for _ in range(min(_STILL, requests))]
        under, took_s = _swapped(board, requests, swaps, advance)
        rollbacks = [_taken_back(board, swaps + 1 + each) for each in range(rollbacks_of)]
    return Swap(
        failed=sum(not each.right for each in (*still, *under)),
        wrong_version=_wrong(under),
        p99_ms=_share(under, 0.99),
        rollback_s=round(max(each for each, _ in rollbacks), 2),
        requests=len(under),
        swaps=swaps,
        p99_still_ms=_share(still, 0.99),
        p50_ms=_share(under, 0.5),
        p50_still_ms=_share(still, 0.5),
        longest_ms=_share(under, 1.0),
        swap_s=round(sorted(took_s)[len(took_s) // 2], 2),
        unanswered=sum(count for _, count in rollbacks),
        rollbacks=len(rollbacks),
    )


@contextmanager
def _board(folder: Path) -> Iterator[SwapBoard]:
    keys = make_fleet(folder / "fleet")
    with (
        running_broker(folder / "broker") as broker,
        swap_board(folder / "board", keys.device, broker.port) as board,
    ):
        yield board


def _swapped(
    board: SwapBoard, requests: int, swaps: int, advance: Callable[[int], None]
) -> tuple[list[Asked], list[float]]:
    asked: list[Asked] = []
    took_s = []
    for number in range(1, swaps + 1):
        ready = lay_down(board.state, number, Bounds(watch_s=_WATCH_S))
        started_s = time.monotonic()
        board.offer(ready)
        while board.counters["updates_done"] < number:
            asked.append(board.ask())
            _check(board, started_s)
        took_s.append(time.monotonic() - started_s)
        while len(asked) < requests * number // swaps:
            asked.append(board.ask())
        advance(1)
    return asked, took_s


def _taken_back(board: SwapBoard, number: int) -> tuple[float, int]:
    """Let a broken package take over; how long it cost answers, and how many."""
    ready = lay_down(board.state, number, Bounds(watch_s=_LONG_WATCH_S))
    break_it(board.state, ready)
    before, started_s = board.counters["updates_switched"], time.monotonic()
    board.offer(ready)
    while board.counters["updates_switched"] == before:
        board.ask()
        _check(board, started_s)
    broken_s, lost = time.monotonic(), 0
    while not board.ask(f"turn on the {POISON}", any_answer=True).right:
        lost += 1
        _check(board, broken_s)
    if not board.counters["updates_rolled_back"]:
        raise SwapError("a broken package answers a question that it cannot answer")
    return time.monotonic() - broken_s, lost


def _check(board: SwapBoard, started_s: float) -> None:
    if board.counters["updates_refused"] or time.monotonic() > started_s + _PATIENCE_S:
        raise SwapError(f"a package did not take over: {dict(board.counters)}")


def _wrong(asked: list[Asked]) -> int:
    """Versions rise, and none answers before it was offered."""
    newest = wrong = 0
    for each in asked:
        wrong += not newest <= each.version <= each.offered
        newest = max(newest, each.version)
    return wrong


def _share(asked: list[Asked], share: float) -> float:
    return round(percentile([each.ms for each in asked], share), 2)
