"""The task of a bench whose questions are all escalated: its model is never sure."""

from collections.abc import Callable

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.policy import MaskRules
from agent.models.scripted import ScriptedModel
from agent.stages import Delivery
from agent.task import Task
from broker.wire.payload import PayloadKind
from firstline.bench.fleet import ECHO


def echo_task(deliver: Callable[[Delivery], None], patience_s: float) -> Task:
    """Ask the cloud every text, and wait for its answer so long."""
    return Task(
        name=ECHO,
        expect=Expectation(PayloadKind.TEXT, max_chars=1 << 16),
        rules=MaskRules(),
        model=ScriptedModel(lambda _: "unsure", chance=0.0),
        domain=ECHO,
        gate=GatePolicy(max_error=0.01),
        patience_s=patience_s,
        provisional=False,
        deliver=deliver,
    )
