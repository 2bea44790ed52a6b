"""The loop's senses: when they look, what they tell, what the agent then does."""

from collections import Counter
from dataclasses import dataclass, field, replace

from agent.core.pressure import Conditions, Measures
from agent.shell.events import TasksChanged
from agent.shell.watch import BoardWatch
from agent.task import Task
from broker.wire.session import Online
from tests.unit.agent.bench import Bench
from tests.unit.agent.device import TASK

COOL, HOT = Conditions(temperature_c=50.0), Conditions(temperature_c=90.0)
WAIT_S = 30.0


@dataclass
class Senses:
    """What the board says next, and what comes of it."""

    now_s: float = 1000.0
    says: Conditions = COOL
    looks: int = 0
    told: list[Measures] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)

    def sense(self) -> Conditions:
        self.looks += 1
        return self.says

    def watch(self) -> BoardWatch:
        return BoardWatch(
            sense=self.sense,
            throttle_c=80.0,
            changed=self.told.append,
            counters=self.counters,
            now_s=lambda: self.now_s,
        )

    def at(self, watch: BoardWatch, later_s: float, says: Conditions) -> None:
        self.now_s += later_s
        self.says = says
        watch.look()


def test_the_board_is_looked_at_every_ten_seconds() -> None:
    senses = Senses()
    watch = senses.watch()

    for _ in range(100):
        senses.at(watch, 0.5, COOL)

    assert senses.looks == 5
    assert senses.told == []


def test_only_a_change_is_told_and_counted() -> None:
    senses = Senses()
    watch = senses.watch()

    for says in (COOL, HOT, HOT, replace(HOT, metered=True)):
        senses.at(watch, 10.0, says)

    assert senses.told == [Measures(hot=True), Measures(hot=True, costly=True)]
    assert senses.counters == {"board_hot": 1, "board_costly": 1}


def test_heat_is_not_over_before_a_minute_is() -> None:
    senses = Senses()
    watch = senses.watch()
    senses.at(watch, 10.0, HOT)

    for _ in range(5):
        senses.at(watch, 10.0, COOL)
    assert watch.taken == Measures(hot=True)
    senses.at(watch, 10.0, COOL)

    assert senses.told == [Measures(hot=True), Measures()]


def changed(task: Task) -> TasksChanged:
    return TasksChanged(lambda: {TASK: task})


def test_the_tasks_are_those_of_the_moment_when_they_are_changed(bench: Bench) -> None:
    known = [replace(bench.device.task, domain="before")]
    event = TasksChanged(lambda: {TASK: known[-1]})
    known.append(replace(bench.device.task, domain="after"))  # as when a model is switched

    bench.run(event)

    assert bench.loop._pipeline.tasks[TASK].domain == "after"


def test_a_question_is_held_back_while_asking_is_costly_and_then_sent(bench: Bench) -> None:
    task = bench.device.task
    costly = changed(replace(task, wait_s=WAIT_S))

    bench.run(Online(100), costly, bench.arrived(b"switch on"))
    assert bench.link.questions() == []
    assert bench.counters["held_back"] == 1

    bench.run(changed(task))
    assert len(bench.link.questions()) == 1


def test_what_is_held_back_is_sent_when_its_wait_is_over(bench: Bench) -> None:
    costly = changed(replace(bench.device.task, wait_s=WAIT_S))
    bench.run(Online(100), costly, bench.arrived(b"switch on"))

    bench.device.clock.now_s += WAIT_S - 1
    bench.loop._courier.send_due()
    assert bench.link.questions() == []
    bench.device.clock.now_s += 1
    bench.loop._courier.send_due()

    assert len(bench.link.questions()) == 1
    assert bench.counters["resends"] == 0  # it was never sent before


def test_a_worker_that_comes_does_not_let_go_of_what_is_held_back(bench: Bench) -> None:
    costly = changed(replace(bench.device.task, wait_s=WAIT_S))
    bench.run(Online(100), costly, bench.arrived(b"switch on"))

    bench.device.outbox.hurry(bench.device.clock.now_s)
    bench.loop._courier.send_due()

    assert bench.link.questions() == []
