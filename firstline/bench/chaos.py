"""No question is lost and none has two effects, whatever is killed, cut, full or wrong meanwhile.

    questions in bursts --> inbox --> agent --> ... --> effects.log, answers/
    a trouble from the seed after each burst: kills, outages, cuts, overflows, clocks

At the end all run, all links are whole, all clocks right; then every question must have its answer.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from firstline.bench.chaos_account import Account, lines, settle
from firstline.bench.chaos_agent import PATIENCE_S
from firstline.bench.chaos_stage import Stage, staged
from firstline.bench.chaos_troubles import Troubles
from firstline.bench.figures import ON_DISK, percentile

_MOST_AT_ONCE = 50
_FLOOD = 10  # a tenth of all questions at once
_PAUSE_S = (0.0, 0.6)  # after a trouble: a program needs half a second to be up
_LOCAL_EVERY = 5  # each fifth question is answered by the device itself
_PATIENCE_S = PATIENCE_S + 30.0  # without any new answer: then even local ones are overdue
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Chaos:
    """The figures."""

    requests: int
    delivered: int
    lost: int  # without their answer at the end, or with one that is not theirs
    duplicate_effects: int  # answers beside the one of the same question, in other words
    kills: int  # SIGKILL of broker, workers, agent
    sends_per_request: float  # publishes of a question that was asked
    p99_s: float  # from a question's file to its answer
    wall_s: float
    p50_s: float
    degraded: int  # delivered by the device itself although it wanted to ask, and flagged
    worked_twice: int  # answered again by a model, which costs its time only
    outages: int  # of the whole pool
    cuts: int  # of a link: broken, shut, dead
    freezes: int  # of a worker, which looked alive
    overflows: int  # of the workers' queues and the broker's
    clock_jumps: int  # by 90 seconds to a year, of the agent or a worker
    seed: int


def measure(requests: int, seed: int, progress: Callable[[int], None]) -> Chaos:
    """Ask `requests` questions in the midst of troubles."""
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(dir=ON_DISK) as name, staged(Path(name)) as stage:
        asked = dict(_questions(requests))
        troubles = _torment(stage, asked, random.Random(seed), progress)  # noqa: S311 - a bench
        stage.restore()
        _wait(stage, requests)
        stage.agent.program.stop()
        account = settle(stage.folder, asked, stage.dropped_s)
    return _chaos(requests, seed, account, troubles, time.monotonic() - started_s)


def _questions(requests: int) -> Iterator[tuple[str, str]]:
    """File names and texts, each with personal data of its own."""
    for number in range(requests):
        start = "unsure" if number % _LOCAL_EVERY else "sure"
        yield f"q{number:06}.txt", f"{start} question q{number:06} of user{number}@example.org"


def _torment(
    stage: Stage, asked: dict[str, str], dice: random.Random, progress: Callable[[int], None]
) -> Troubles:
    waiting = iter(asked.items())

    def drop(count: int) -> None:
        for name, text in islice(waiting, count):
            stage.drop(name, text)
        progress(count)

    troubles = Troubles(stage, dice, lambda: drop(len(asked) // _FLOOD))
    while len(stage.dropped_s) < len(asked):
        drop(dice.randint(1, _MOST_AT_ONCE))
        time.sleep(dice.uniform(0.0, 0.1))  # they are under way
        troubles.one()
        time.sleep(dice.uniform(*_PAUSE_S))
    return troubles


def _wait(stage: Stage, requests: int) -> None:
    """Until all are answered, or nothing happens any more."""
    log, seen, since_s = stage.folder / "agent" / "effects.log", 0, time.monotonic()
    while time.monotonic() - since_s < _PATIENCE_S:
        answers = len(list((stage.folder / "agent" / "answers").glob("*.json")))
        if answers >= requests and not any(stage.inbox.iterdir()):
            return
        if (count := len(lines(log))) > seen:
            seen, since_s = count, time.monotonic()
        time.sleep(_LOOK_S)


def _chaos(requests: int, seed: int, account: Account, troubles: Troubles, wall_s: float) -> Chaos:
    counters, counts = account.counters, troubles.counts
    return Chaos(
        requests=requests,
        delivered=account.delivered,
        lost=requests - account.delivered,
        duplicate_effects=account.duplicate_effects,
        kills=counts["kills"],
        sends_per_request=round(counters["sends"] / max(1, counters["escalated"]), 2),
        p99_s=round(percentile(account.waits_s, 0.99), 3),
        wall_s=round(wall_s, 1),
        p50_s=round(percentile(account.waits_s, 0.5), 3),
        degraded=account.degraded,
        worked_twice=account.worked_twice,
        outages=counts["outages"],
        cuts=counts["cuts"],
        freezes=counts["freezes"],
        overflows=counts["overflows"],
        clock_jumps=counts["clock_jumps"],
        seed=seed,
    )
