"""What the agent's loop does besides answering: watches the board, tells its state, pings."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from agent.board import sense
from agent.core.pressure import Measures
from agent.shell.courier import Courier
from agent.shell.events import TasksChanged
from agent.shell.loop import AgentEvent
from agent.shell.status import Status
from agent.shell.watch import BoardWatch
from agent.store.clock import since_boot_s
from broker.wire.credentials import DeviceCredentials
from firstline.notify import Notifier
from firstline.plan import AgentPlan
from firstline.tasks import Tasks

_START_S = 30.0  # see agent/models/engine.py
_TRIES = 2  # of a child, for one question
_SLACK_S = 10.0

Duty = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """Makes the duties of one agent, once its courier is there."""

    plan: AgentPlan
    credentials: DeviceCredentials
    tasks: Tasks
    queue: SimpleQueue[AgentEvent]
    counters: Counter[str]
    version: str
    status: Path  # the file that `firstline status` reads

    def of(self, courier: Courier) -> Sequence[Duty]:
        """In the order in which they are done at each tick."""
        watch = BoardWatch(
            sense=partial(sense, self.plan.told),
            throttle_c=self.plan.throttle_c,
            changed=self._work_under,
            counters=self.counters,
        )
        notifier = Notifier(longest_s=longest_s(self.plan), doing=partial(_doing, courier, watch))
        return (watch.look, self._status(courier, watch).write, notifier.alive)

    def _work_under(self, taken: Measures) -> None:
        self.queue.put(TasksChanged(partial(self.tasks.under, taken)))

    def _status(self, courier: Courier, watch: BoardWatch) -> Status:
        return Status(
            file=self.status,
            about=self._about(),
            courier=courier,
            engines=lambda: self.tasks.engines,
            watch=watch,
            counters=self.counters,
            started_s=since_boot_s(),
            writes_mb_per_day=self.plan.writes_mb_per_day,
        )

    def _about(self) -> dict[str, object]:
        own = self.credentials
        return {
            "version": self.version,
            "fleet": own.fleet,
            "device": own.device,
            "pool": own.pool,
            "state": str(Path(self.plan.state)),
        }


def longest_s(plan: AgentPlan) -> float:
    """What one question may take: a child that starts, and another that starts after it."""
    slowest_s = max((task.engine.timeout_s for task in plan.tasks), default=0.0)
    return _TRIES * (_START_S + slowest_s) + _SLACK_S


def _doing(courier: Courier, watch: BoardWatch) -> str:
    line = "online" if courier.is_online else "offline"
    heat = ", hot" if watch.taken.hot else ""
    cost = ", asking is costly" if watch.taken.costly else ""
    return f"{line}, {len(courier.outbox)} waiting{heat}{cost}"
