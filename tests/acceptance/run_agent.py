"""An agent with a scripted model, for tests that kill it.

    python -m tests.acceptance.run_agent FOLDER PORT

Texts that begin with "sure" are answered here, the rest is asked. Each delivery is noted in
`FOLDER/effects.log` before it is made, so a test sees every answer that anyone could have seen.
"""

import os
import signal
import sys
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
from tests.asker import DOMAIN

TASK = "home"
PATIENCE_S = 300.0
RESEND_S = 0.3


class HalfSure:
    """Sure of what says so."""

    def draft(self, masked: Masked, _domain: str) -> Draft:
        text = masked.payload.text if isinstance(masked.payload, Text) else ""
        return Draft(f"local {text}", 1.0 if text.startswith("sure") else 0.0, "half 1", 0.0)

    def calibration(self, _domain: str) -> Calibration:
        return MEASURED

    def rest(self) -> None:
        pass


class NotedOutput:
    """A folder, and a note of every answer that goes there."""

    def __init__(self, folder: Path) -> None:
        self._output = FolderOutput(folder / "answers")
        self._log = os.open(folder / "effects.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def deliver(self, delivery: Delivery) -> None:
        os.write(self._log, (delivery_json(delivery) + "\n").encode())
        self._output.deliver(delivery)


def main() -> None:
    """Serve until SIGTERM."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: queue.put(Stop()))
    task = Task(
        name=TASK,
        expect=Expectation(PayloadKind.TEXT),
        rules=MaskRules(),
        model=HalfSure(),
        domain=DOMAIN,
        gate=GatePolicy(max_error=0.1),
        patience_s=PATIENCE_S,
        provisional=False,
        deliver=NotedOutput(folder).deliver,
    )
    parts = AgentParts(
        credentials=load_device(folder / "keys"),
        host="127.0.0.1",
        port=port,
        state=folder,
        tasks={TASK: task},
        queue=queue,
        inputs=[FolderInput(folder / "inbox", task=TASK, sink=queue.put)],
        resend_s=RESEND_S,
    )
    with agent_loop(parts) as loop:
        loop.run()


if __name__ == "__main__":
    main()
