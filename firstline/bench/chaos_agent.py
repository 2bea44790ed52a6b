"""The agent of `bench chaos`: all of an agent but its model, its clock and its settings.

    python -m firstline.bench.chaos_agent FOLDER HOST:PORT

Texts that begin with "sure" are answered here, the rest is asked. Each delivery is noted in
`FOLDER/effects.log` before it is made, so every answer is seen that anyone could have seen.
`FOLDER/counters.*` hold what each life has counted.
"""

import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from queue import SimpleQueue

from agent.core.clean import Expectation
from agent.core.gate import Calibration, GatePolicy
from agent.core.policy import MaskRules
from agent.models.scripted import MEASURED
from agent.shell.events import Stop, delivery_json
from agent.shell.folder import FolderInput, FolderOutput
from agent.shell.loop import AgentEvent  # noqa: TC001 - a program, read as it runs
from agent.stages import Delivery, Draft, Masked
from agent.task import Task
from broker.wire.credentials import load_device
from broker.wire.payload import PayloadKind, Text
from firstline.assemble import AgentParts, agent_loop
from firstline.bench.fleet import ECHO
from firstline.bench.programs import place
from firstline.bench.set_clock import SetClock

TASK = "home"
RESEND_S = 0.3
PATIENCE_S = 120.0
_COUNTERS_BYTES = 4096


class HalfSure:
    """Sure of what says so."""

    def draft(self, masked: Masked, _domain: str) -> Draft:
        """Repeat it."""
        text = masked.payload.text if isinstance(masked.payload, Text) else ""
        return Draft(f"local {text}", 1.0 if text.startswith("sure") else 0.0, "half 1", 0.0)

    def calibration(self, _domain: str) -> Calibration:
        """What it is worth."""
        return MEASURED

    def rest(self) -> None:
        """Nothing to give back."""


class NotedOutput:
    """A folder, and a note of every answer that goes there.

    Args:
        folder: The agent's.
    """

    def __init__(self, folder: Path) -> None:
        self._output = FolderOutput(folder / "answers")
        self._log = os.open(folder / "effects.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def deliver(self, delivery: Delivery) -> None:
        """Note it, then make it."""
        line = f"{time.monotonic():.3f} {delivery_json(delivery)}\n"
        os.write(self._log, line.encode())
        self._output.deliver(delivery)


class KeptCounter(Counter[str]):
    """Counters that a kill does not take away.

    Args:
        path: Where they lie.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)

    def __setitem__(self, name: str, count: int) -> None:
        super().__setitem__(name, count)
        os.pwrite(self._file, json.dumps(self).ljust(_COUNTERS_BYTES).encode(), 0)


def serve(folder: Path, where: tuple[str, int], resend_s: float = RESEND_S) -> None:
    """Serve until SIGTERM."""
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: queue.put(Stop()))
    task = Task(
        name=TASK,
        expect=Expectation(PayloadKind.TEXT),
        rules=MaskRules(),
        model=HalfSure(),
        domain=ECHO,
        gate=GatePolicy(max_error=0.1),
        patience_s=PATIENCE_S,
        provisional=False,
        deliver=NotedOutput(folder).deliver,
    )
    parts = AgentParts(
        credentials=load_device(folder / "keys"),
        host=where[0],
        port=where[1],
        state=folder,
        tasks={TASK: task},
        queue=queue,
        inputs=[FolderInput(folder / "inbox", task=TASK, sink=queue.put)],
        resend_s=resend_s,
        counters=KeptCounter(folder / f"counters.{time.monotonic_ns()}"),
        wall_s=SetClock(folder / "clock").now_s,
    )
    with agent_loop(parts) as loop:
        loop.run()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), place(sys.argv[2]))
