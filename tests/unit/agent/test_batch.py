"""Questions that came together wait for the disk together, and nothing is done for them before."""

import pytest

from agent.shell.events import Stop
from broker.wire.session import Online
from tests.unit.agent.bench import Bench

WAIT = "PRAGMA synchronous = FULL"


def watched(bench: Bench) -> list[str]:
    """What is said to SQLite, and what is done beside it."""
    said: list[str] = []
    bench.device.outbox._db.set_trace_callback(lambda statement: said.append(statement.strip()))
    return said


def test_questions_that_came_together_wait_for_the_disk_once(bench: Bench) -> None:
    said = watched(bench)

    bench.run(Online(100), *(bench.arrived(b"lights on", f"{name}.txt") for name in "abc"))

    assert said.count(WAIT) == 1
    assert bench.taken == ["a.txt", "b.txt", "c.txt"]
    assert len(bench.link.questions()) == 3


def test_one_that_comes_alone_waits_with_its_own_commit(bench: Bench) -> None:
    said = watched(bench)

    bench.queue.put(bench.arrived(b"lights on"))
    bench.loop._handle_all([bench.queue.get()])

    assert said.count(WAIT) == 1
    assert not any("persisted" in each for each in said)
    assert bench.taken == ["a.txt"]


def test_nothing_is_sent_or_removed_before_it_is_on_the_disk(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int, int]] = []
    commits = bench.device.outbox.commits
    persist = commits.persist

    def look() -> None:
        seen.append((len(bench.device.outbox), len(bench.link.questions()), len(bench.taken)))
        persist()

    monkeypatch.setattr(commits, "persist", look)
    bench.run(Online(100), bench.arrived(b"on", "a.txt"), bench.arrived(b"off", "b.txt"))

    assert seen[0] == (2, 0, 0)
    assert (len(bench.link.questions()), bench.taken) == (2, ["a.txt", "b.txt"])


def test_what_cannot_be_brought_to_the_disk_waits_until_it_can(bench: Bench) -> None:
    for each in (Online(100), bench.arrived(b"on", "a.txt"), bench.arrived(b"off", "b.txt")):
        bench.queue.put(each)
    for _ in range(3):
        bench.loop._handle_all([bench.queue.get()])
        bench.queue.put(Stop())  # so that none is alone
    bench.device.outbox._db.execute("PRAGMA query_only = ON")
    bench.loop._guarded(lambda: bench.loop._batch.end(bench.loop._guarded))
    before = (len(bench.link.questions()), list(bench.taken))

    bench.device.outbox._db.execute("PRAGMA query_only = OFF")
    bench.loop._batch.end(bench.loop._guarded)

    assert before == (0, [])
    assert (len(bench.link.questions()), bench.taken) == (2, ["a.txt", "b.txt"])
    assert bench.counters["outbox_full"] == 1


def test_the_first_one_does_not_wait_for_the_others_for_long(bench: Bench) -> None:
    batch = bench.loop._batch
    with batch.asking(alone=False):
        bench.device.escalate("lights on")
    batch.then(lambda: None)
    early = batch.is_full

    batch._since_s -= 1.0

    assert (early, batch.is_full) == (False, True)
