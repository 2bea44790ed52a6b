"""The books of `bench chaos` find what is lost, and what has two effects."""

import json
import random
from pathlib import Path

import pytest

from firstline.bench.chaos_account import settle
from firstline.bench.chaos_agent import KeptCounter
from firstline.bench.chaos_stage import Actor, Stage
from firstline.bench.chaos_troubles import Troubles
from firstline.bench.programs import BrokerProgram, Program
from firstline.bench.set_clock import SetClock
from firstline.bench.tcp_proxy import TcpProxy

ASKED = {"a.txt": "unsure a", "b.txt": "sure b"}
DROPPED_S = {"a.txt": 10.0, "b.txt": 10.0}


def effect(source: str, answer: str, origin: str = "cloud", **more: object) -> str:
    """A line of the log."""
    noted = {"source": source, "answer": answer, "origin": origin, "ticket": source, **more}
    return f"12.5 {json.dumps(noted)}\n"


A, B = effect("a.txt", "cloud unsure a, 1"), effect("b.txt", "local sure b", "device")


@pytest.mark.parametrize(
    ("log", "delivered", "duplicates"),
    [
        (A + B, 2, 0),
        (A, 1, 0),
        (A + B + B, 2, 0),
        (A + B + effect("b.txt", "local sure b", "device", elapsed_ms=9.0), 2, 0),
        (A + B + effect("a.txt", "cloud unsure a, 1", ticket="another"), 2, 1),
        (A + B + effect("a.txt", "local unsure a", "degraded"), 2, 1),
        (A + B + effect("a.txt", "cloud unsure a, 2"), 2, 1),
        (effect("a.txt", "cloud sure b, 1") + B, 1, 0),
        (A + B[:-1], 1, 0),  # killed while it wrote
    ],
    ids=[
        "all",
        "lost",
        "again",
        "again, timed",
        "ticket",
        "two ways",
        "two works",
        "not its own",
        "torn",
    ],
)
def test_what_is_lost_and_what_has_two_effects_is_found(
    tmp_path: Path, log: str, delivered: int, duplicates: int
) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "effects.log").write_text(log, encoding="utf-8")

    account = settle(tmp_path, ASKED, DROPPED_S)

    assert (account.delivered, account.duplicate_effects) == (delivered, duplicates)
    assert account.waits_s == [2.5] * delivered


def test_counters_of_all_lives_and_work_of_both_workers_are_counted(tmp_path: Path) -> None:
    for name in ("agent", "worker-1", "worker-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "work.log").write_text("unsure a\n", encoding="utf-8")
    for life in ("1", "2"):
        KeptCounter(tmp_path / "agent" / f"counters.{life}")["sends"] += 3

    account = settle(tmp_path, ASKED, DROPPED_S)

    assert account.counters == {"sends": 6}
    assert account.worked_twice == 1


def test_a_clock_that_is_set_is_wrong_at_once_and_stays_so(tmp_path: Path) -> None:
    ours, theirs = SetClock(tmp_path / "clock"), SetClock(tmp_path / "clock")
    before_s = theirs.now_s()

    ours.set(3600.0)

    assert theirs.now_s() - before_s > 3599.0
    assert SetClock(tmp_path / "clock").now_s() - before_s > 3599.0


def test_the_same_seed_makes_the_same_troubles(tmp_path: Path) -> None:
    assert names(tmp_path, 1) == names(tmp_path, 1) != names(tmp_path, 2)


def names(folder: Path, seed: int) -> list[str]:
    """The first troubles of a seed, none of which is made."""
    actor = Actor(Program(folder / "log"), TcpProxy(("", 0)), SetClock(folder / "clock"))
    stage = Stage(folder, BrokerProgram(folder), actor, (actor,))
    troubles = Troubles(stage, random.Random(seed), lambda: None)  # noqa: S311 - a test
    return [troubles.draw().__name__ for _ in range(20)]
