"""What a model answers, as frozen values: one head for each domain that it knows."""

from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """A head's calibration, fitted on the very file that runs."""

    knots: Points  # (score, chance of being right), scores rising, chances never falling
    samples: int
    ece: float  # expected calibration error, cross-fitted, in [0, 1]
    risk_coverage: Points  # (share answered, share of those that is wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One use of the model."""

    domain: str
    labels: tuple[str, ...]  # what it may answer; none: free text, or a number
    out_of_scope: str | None  # the label that always means: ask
    curve: Curve | None  # None: never measured, never trusted

    @property
    def knots(self) -> Points:
        """The calibration's (score, chance) points; none if it was never measured."""
        return self.curve.knots if self.curve else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelHead(Head):
    """One output of a classifier."""

    output: str  # the model's name for it; empty: its only one
    scores: str  # "logits" or "probabilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberHead(Head):
    """One output of a regressor."""

    output: str  # the model's name for it; empty: its only one
    deviation: str  # the output with its standard deviation, or empty
    unit: str
    tolerance: float  # in that unit: an answer off by no more is right


@dataclass(frozen=True, slots=True, kw_only=True)
class TextHead(Head):
    """One use of a language model."""

    prompt: str  # with {text} in it, once
    chat: bool  # through the file's own chat template
    system: str
    max_tokens: int
    stop: tuple[str, ...]
    grammar: str | None  # file name, GBNF
    schema: str | None  # file name, JSON Schema
    adapter: str | None  # file name, LoRA
    score: str  # of the tokens' probabilities: first, lowest, mean or product
