"""A question to a model alone: nothing is sent, nothing is kept.

text -> clean -> mask -> draft -> Keep | Escalate -> Trial
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from agent.core.clean import Expectation, clean
from agent.core.gate import GatePolicy, route
from agent.core.mask import mask
from agent.core.policy import MaskRules
from agent.core.restore import restore_answer
from agent.models.engine import Engine
from agent.stages import Escalate, Raw
from broker.wire.payload import PayloadKind
from firstline.naming import shipped_finder

_TASK = "ask"  # stands for the task that a lone question does not have


@dataclass(frozen=True, slots=True)
class Trial:
    """What the model answered, and what an agent would have done with it."""

    answer: str = field(repr=False)
    confidence: float  # in [0, 1], calibrated
    model: str
    elapsed_ms: float
    would_ask: str  # why an agent would have asked the cloud; empty: it would not
    flags: tuple[str, ...]


def ask_alone(text: bytes, *, package: Path, domain: str, max_error: float) -> Trial:
    """Ask one model package.

    Raises:
        InputError: the text cannot be used.
        ModelError: the package cannot be used, or does not know the domain.
        NamesError: names cannot be found on this machine.
    """
    cleaned = clean(Raw(_TASK, "command line", text), Expectation(PayloadKind.TEXT))
    result = mask(cleaned, MaskRules(), shipped_finder())
    engine = Engine(package)
    with ExitStack() as last:
        last.callback(engine.stop)
        calibration = engine.calibration(domain)
        draft = engine.draft(result.masked, domain)
        decision = route(draft, calibration, GatePolicy(max_error), budget=None, lot=1.0)
    restored = restore_answer(draft.answer, result.vault)
    truncated = (
        ("the model did not read the whole input, or was cut short",) if draft.truncated else ()
    )
    return Trial(
        answer=restored.text,
        confidence=decision.confidence,
        model=draft.model,
        elapsed_ms=draft.elapsed_ms,
        would_ask=decision.reason if isinstance(decision, Escalate) else "",
        flags=(*cleaned.changes, *truncated),
    )
