"""An agent that ends leaves its budgets on the disk, whatever ended it."""

from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from agent.core.gate import GatePolicy
from agent.stages import Raw
from agent.store.outbox import Outbox
from firstline.assemble import OUTBOX, AgentParts, agent_loop
from tests.asker import Asker
from tests.unit.agent.device import FIRST, TASK, Shelf, make_task, sure


def test_budgets_are_stored_when_the_agent_ends(asker: Asker, tmp_path: Path) -> None:
    task = replace(make_task(Shelf()), model=sure(), gate=GatePolicy(0.1, max_share=0.1))
    parts = AgentParts(
        credentials=asker.credentials,
        host="127.0.0.1",
        port=9,  # nobody is there
        state=tmp_path,
        tasks={TASK: task},
        queue=SimpleQueue(),
    )

    with pytest.raises(KeyboardInterrupt):
        interrupted(parts)

    outbox = Outbox(tmp_path / OUTBOX)
    assert outbox.number("budget level of home") > 0.1
    outbox.close()


def interrupted(parts: AgentParts) -> None:
    """Answer one question, and stop."""
    with agent_loop(parts) as loop:
        loop._pipeline.ask(FIRST, Raw(TASK, "a.txt", b"lights on"))
        raise KeyboardInterrupt
