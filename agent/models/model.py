"""What the pipeline asks of a local model."""

from typing import Protocol

from agent.core.gate import Calibration
from agent.stages import Draft, Masked


class ModelError(Exception):
    """The local model gave no answer. The question can still be escalated."""


class LocalModel(Protocol):
    """Answers masked questions on the device."""

    def draft(self, masked: Masked, domain: str) -> Draft:
        """Answer a question.

        Raises:
            ModelError: no answer.
        """

    def calibration(self, domain: str) -> Calibration:
        """How the scores of this model's answers become chances.

        Raises:
            ModelError: the model cannot be used, or does not know the domain.
        """

    def rest(self) -> None:
        """Give back what was not needed for a while."""
