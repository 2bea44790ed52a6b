"""The device's own time: the machine's clock may be set as it likes."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import pytest

from agent.shell.events import Stop
from agent.shell.loop import Loop
from agent.stages import Raw
from agent.store.clock import DeviceClock
from agent.store.errors import OutboxFullError
from agent.store.outbox import Outbox
from firstline.assemble import AgentParts, agent_loop
from tests.asker import Asker
from tests.unit.agent.device import FIRST, PATIENCE_S, TASK, Clock, Shelf, make_task

YEAR_S = 365 * 86_400.0
NOW_S = 1_800_000_000.0


@dataclass(slots=True)
class Machine:
    """A machine whose clock a test sets."""

    outbox: Outbox
    wall: Clock = field(default_factory=lambda: Clock(NOW_S))
    steady: Clock = field(default_factory=lambda: Clock(5.0))

    def clock(self) -> DeviceClock:
        return DeviceClock(self.outbox, wall_s=self.wall, steady_s=self.steady)

    def pass_by(self, seconds: float) -> None:
        self.wall.now_s += seconds
        self.steady.now_s += seconds


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        yield Machine(outbox)


@pytest.mark.parametrize("jump_s", [YEAR_S, -YEAR_S, 3.0, -3.0])
def test_our_time_goes_on_evenly_when_the_clock_is_set(machine: Machine, jump_s: float) -> None:
    clock = machine.clock()

    machine.pass_by(10.0)
    machine.wall.now_s += jump_s

    assert clock.now_s() == NOW_S + 10.0
    assert clock.jump_s() == jump_s
    assert clock.jump_s() == 0.0
    machine.pass_by(10.0)
    assert clock.now_s() == NOW_S + 20.0


def test_a_clock_that_is_made_right_slowly_is_followed(machine: Machine) -> None:
    clock = machine.clock()

    for _ in range(10):
        machine.wall.now_s += 1.0
        assert clock.jump_s() == 0.0

    assert clock.now_s() == NOW_S + 10.0


def test_our_time_outlives_a_restart(machine: Machine) -> None:
    clock = machine.clock()
    machine.wall.now_s += YEAR_S
    clock.jump_s()

    machine.pass_by(10.0)

    assert machine.clock().now_s() == NOW_S + 10.0


def test_a_jump_that_cannot_be_noted_is_told_again(machine: Machine) -> None:
    clock = machine.clock()
    machine.wall.now_s += YEAR_S
    machine.outbox._db.execute("PRAGMA query_only = ON")  # as a disk that takes no more

    with pytest.raises(OutboxFullError):
        clock.jump_s()
    assert clock.now_s() == NOW_S

    machine.outbox._db.execute("PRAGMA query_only = OFF")
    assert clock.jump_s() == YEAR_S


@pytest.mark.parametrize("jump_s", [YEAR_S, -YEAR_S])
def test_a_question_waits_as_long_as_its_task_is_patient_whatever_the_clock_says(
    asker: Asker, tmp_path: Path, jump_s: float
) -> None:
    wall, shelf = Clock(), Shelf()
    parts = make_parts(asker, tmp_path, wall, shelf)
    with asked(parts) as loop:
        wall.now_s += jump_s
        served(loop, parts)

        outbox, now_s = loop._pipeline.post.outbox, loop._clock.now_s()
        assert shelf.taken == []
        assert outbox.deadline_s(FIRST) == pytest.approx(now_s + PATIENCE_S, abs=5.0)
        assert parts.counters["clock_jumps"] == 1


def test_a_clock_that_was_set_back_while_we_were_away_makes_nobody_wait_longer(
    asker: Asker, tmp_path: Path
) -> None:
    wall, shelf = Clock(), Shelf()
    with asked(make_parts(asker, tmp_path, wall, shelf)):
        pass
    wall.now_s -= YEAR_S

    parts = make_parts(asker, tmp_path, wall, shelf)
    with agent_loop(parts) as loop:
        outbox = loop._pipeline.post.outbox
        assert outbox.deadline_s(FIRST) == pytest.approx(wall.now_s + PATIENCE_S, abs=1.0)
        assert [each.ticket for each in outbox.due(wall.now_s + 1.0)] == [FIRST]
    assert parts.counters["clock_jumps"] == 1


def make_parts(asker: Asker, folder: Path, wall: Clock, shelf: Shelf) -> AgentParts:
    """An agent that reaches nobody."""
    return AgentParts(
        credentials=asker.credentials,
        host="127.0.0.1",
        port=9,
        state=folder,
        tasks={TASK: make_task(shelf)},
        queue=SimpleQueue(),
        wall_s=wall,
    )


@contextmanager
def asked(parts: AgentParts) -> Iterator[Loop]:
    """It has asked one question."""
    with agent_loop(parts) as loop:
        assert loop._pipeline.ask(FIRST, Raw(TASK, "a.txt", b"lights on")) is not None
        yield loop


def served(loop: Loop, parts: AgentParts) -> None:
    """Serve what there is, and one tick."""
    loop._running = True
    parts.queue.put(Stop())
    loop.run()
    loop._tick()
