"""A model that says what it is told, for benchmarks and tests."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.core.gate import Calibration
from agent.stages import Draft, Masked
from broker.wire.payload import Payload


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
        return Calibration(((0.0, 0.0), (1.0, 1.0)))

    def rest(self) -> None:
        """See LocalModel."""
