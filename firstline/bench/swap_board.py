"""The board of `bench swap`: an agent's loop on a thread of its own, asked from outside."""

import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from agent.shell.events import Arrived, Stop
from agent.shell.loop import AgentEvent
from agent.shell.updater import UpdaterSaid
from agent.update.words import Ready
from broker.fleet.mosquitto import LOOPBACK
from broker.wire.credentials import load_device
from firstline.assemble import AgentParts, agent_loop
from firstline.plan import plan_apart
from firstline.tasks import Tasks
from firstline.updating import BoardUpdates, open_slots
from firstline.workshop import BoardWorkshop

_QUESTION: Final = "turn on the lights in the kitchen"
_ANSWER: Final = "iot_hue_lighton"
_TASK: Final = "home"
_PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.002  # between two questions, as they come in life
_SETTINGS: Final = """\
[agent]
credentials = "{keys}"
names = []
[models.commands]
package = "commands-small"
[[tasks]]
name = "home"
model = "commands"
domain = "home"
max_error = 1.0
patience_s = 0.2
input = {{ kind = "folder", path = "inbox" }}
output = {{ kind = "stdout" }}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, answered."""

    ms: float
    right: bool  # by the board itself, what it always answers
    version: int  # that answered: the last number of it
    offered: int  # the latest version that had been offered by then


class _Answers(io.StringIO):
    """Standard output: takes one answer a line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: SimpleQueue[str] = SimpleQueue()

    def write(self, text: str) -> int:
        self.lines.put(text)
        return len(text)


@dataclass(slots=True)
class SwapBoard:
    """A running agent."""

    state: Path
    queue: SimpleQueue[AgentEvent] = field(default_factory=SimpleQueue)
    counters: Counter[str] = field(default_factory=Counter)
    output: _Answers = field(default_factory=_Answers)
    offered: int = 0
    asked: int = 0

    def ask(self, text: str = _QUESTION, *, any_answer: bool = False) -> Asked:
        """Ask once, and wait for the answer."""
        self.asked += 1
        data, done = text.encode(), threading.Event()
        time.sleep(_PAUSE_S)
        started_s = time.perf_counter()
        identity = str(self.asked)
        arrived = Arrived(_TASK, "bench", identity, lambda n: data[:n], done.set, _raise)
        self.queue.put(arrived)
        try:
            said = json.loads(self.output.lines.get(timeout=_PATIENCE_S))
        except Empty:
            return Asked(_PATIENCE_S * 1e3, right=False, version=0, offered=self.offered)
        ms = (time.perf_counter() - started_s) * 1e3
        right = said["origin"] == "device" and (any_answer or said["answer"] == _ANSWER)
        number = said["model"].rpartition(".")[2]
        version = int(number) if number.isdigit() else 0
        return Asked(ms, right=right, version=version, offered=self.offered)

    def offer(self, ready: Ready) -> None:
        """Say what the updater says when a package is in its place."""
        self.offered = ready.installed.release
        self.queue.put(UpdaterSaid(0, {"ready": ready.write().decode()}, b""))


@contextmanager
def swap_board(folder: Path, keys: Path, port: int) -> Iterator[SwapBoard]:
    """An agent that runs for as long as the block; in a folder that may be there already."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "agent.toml"
    settings.write_text(_SETTINGS.format(keys=keys), encoding="utf-8")
    board = SwapBoard(folder / "state")
    runner = threading.Thread(target=_run, args=(board, settings, port), name="agent-loop")
    runner.start()
    try:
        board.ask()  # its first child starts
        yield board
    finally:
        board.queue.put(Stop())
        runner.join()


def _run(board: SwapBoard, settings: Path, port: int) -> None:
    """As `firstline.build` does, with another standard output."""
    plan = plan_apart(settings)
    plan.state.mkdir(parents=True, exist_ok=True)
    credentials = load_device(plan.credentials)
    with ExitStack() as last:
        slots, _ = open_slots(plan.state, board.counters)
        tasks = Tasks(local=None, stdout=board.output, counters=board.counters)
        last.callback(tasks.stop)
        updates = BoardUpdates(
            plan=plan,
            credentials=credentials,
            slots=slots,
            workshop=BoardWorkshop(settings, tasks, slots, plan),
            queue=board.queue,
            counters=board.counters,
        )
        parts = AgentParts(
            credentials=credentials,
            host=LOOPBACK,
            port=port,
            state=plan.state,
            tasks=tasks.build(plan),
            queue=board.queue,
            updates=updates.of,
            subscriptions=updates.subscriptions,
            counters=board.counters,
        )
        last.enter_context(agent_loop(parts)).run()


def _raise(error: Exception) -> None:
    raise error
