"""A model that says what it is told, for benchmarks and tests."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.core.bounds import Risks, Step
from agent.core.gate import Calibration
from agent.stages import Draft, Masked
from broker.wire.payload import Payload

_ROWS = 10_000
# As measured on so many rows that a threshold is within a point of the bound on error.
MEASURED = Calibration(
    knots=((0.0, 0.0), (1.0, 1.0)),
    risks=Risks(
        tuple(Step(1 - n / 100, _ROWS, _ROWS * n // 100) for n in range(101)), samples=_ROWS
    ),
)


@dataclass(frozen=True, slots=True)
class ScriptedModel:
    """Answers with `answer(payload)`, always with the same chance of being right."""

    answer: Callable[[Payload], str]
    chance: float  # in [0, 1]

    def draft(self, masked: Masked, domain: str) -> Draft:
        """See LocalModel."""
        return Draft(self.answer(masked.payload), self.chance, f"scripted {domain}", elapsed_ms=0.0)

    def calibration(self, _domain: str) -> Calibration:
        """See LocalModel."""
        return MEASURED

    def rest(self) -> None:
        """See LocalModel."""
