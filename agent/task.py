"""One job of the device, as the front door builds it from the settings."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.core.clean import Expectation
from agent.core.gate import GatePolicy
from agent.core.policy import MaskRules
from agent.models.model import LocalModel
from agent.stages import Delivery
from broker.wire.messages import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One job that the operator gave the device."""

    name: str
    expect: Expectation
    rules: MaskRules
    model: LocalModel
    domain: str  # which of the model's heads, and what the pool is asked for
    gate: GatePolicy
    patience_s: float  # how long an escalated question may wait
    wait_s: float = 0.0  # before it is sent: asking is costly now, and may not be soon
    priority: Priority = Priority.NORMAL  # beside the device's other tasks
    provisional: bool  # deliver the draft at once, the cloud's answer later
    deliver: Callable[[Delivery], None]
