"""What `bench chaos` does to the programs on its stage. Everything random comes from one dice."""

import random
import time
from collections import Counter
from collections.abc import Callable

from firstline.bench.chaos_stage import Actor, Stage

_DAY_S = 86_400.0
_JUMPS_S = (90.0, 3600.0, _DAY_S, 365 * _DAY_S)


class Troubles:
    """One trouble after the other; each ends before the next begins, but for wrong clocks.

    Args:
        stage: Who is troubled.
        dice: Decides what happens.
        flood: Drops many questions at once.
    """

    def __init__(self, stage: Stage, dice: random.Random, flood: Callable[[], None]) -> None:
        self.counts: Counter[str] = Counter()
        self._stage, self._dice, self._flood = stage, dice, flood
        self._table = {
            self._kill_agent: 6,
            self._kill_worker: 6,
            self._kill_broker: 3,
            self._outage: 2,
            self._cut: 4,
            self._shut: 2,
            self._hold: 2,
            self._freeze: 2,
            self._overflow: 1,
            self._jump: 3,
        }

    def one(self) -> None:
        """Make one, and undo it."""
        self.draw()()

    def draw(self) -> Callable[[], None]:
        """Which is the next."""
        return self._dice.choices([*self._table], [*self._table.values()])[0]

    def _kill_agent(self) -> None:
        self._restart([self._stage.agent], self._dice.uniform(0.0, 0.2))

    def _kill_worker(self) -> None:
        self._restart([self._dice.choice(self._stage.workers)], self._dice.uniform(0.0, 0.2))

    def _kill_broker(self) -> None:
        self._stage.broker.kill()
        time.sleep(self._dice.uniform(0.0, 0.2))
        self._stage.broker.start()
        self.counts["kills"] += 1

    def _outage(self) -> None:
        """The whole pool is away."""
        self.counts["outages"] += 1
        self._restart([*self._stage.workers], self._dice.uniform(0.5, 2.0))

    def _restart(self, actors: list[Actor], pause_s: float) -> None:
        for actor in actors:
            actor.program.kill()
        time.sleep(pause_s)
        for actor in actors:
            actor.program.start()
        self.counts["kills"] += len(actors)

    def _cut(self) -> None:
        self._dice.choice(self._stage.actors).link.cut()
        self.counts["cuts"] += 1

    def _shut(self) -> None:
        link = self._dice.choice(self._stage.actors).link
        link.shut()
        self._end_of_cut(link.restore)

    def _hold(self) -> None:
        link = self._dice.choice(self._stage.actors).link
        link.hold()
        self._end_of_cut(link.restore)

    def _end_of_cut(self, restore: Callable[[], None]) -> None:
        time.sleep(self._dice.uniform(0.1, 2.0))
        restore()
        self.counts["cuts"] += 1

    def _freeze(self) -> None:
        """A worker is stuck, and looks alive."""
        worker = self._dice.choice(self._stage.workers).program
        worker.freeze()
        time.sleep(self._dice.uniform(0.1, 2.0))
        worker.thaw()
        self.counts["freezes"] += 1

    def _overflow(self) -> None:
        """More than the workers take, and more than the broker keeps for one that is stuck."""
        worker = self._dice.choice(self._stage.workers).program
        worker.freeze()
        self._flood()
        time.sleep(self._dice.uniform(1.0, 3.0))
        worker.thaw()
        self.counts["overflows"] += 1

    def _jump(self) -> None:
        """A clock is set; half of the time it is made right."""
        clock = self._dice.choice(self._stage.actors).clock
        jump_s = self._dice.choice(_JUMPS_S) * self._dice.choice((-1, 1))
        clock.set(self._dice.choice((0.0, jump_s)))
        self.counts["clock_jumps"] += 1
