"""What a model answers, as frozen values: one head for each domain that it knows."""

from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]
RiskTable = tuple[tuple[float, int, int], ...]

LEVEL = 0.5  # where the out-of-scope label is as likely as the best other


@dataclass(frozen=True, slots=True)
class Curve:
    """A head's calibration, fitted on the very file that runs."""

    knots: Points  # (score, chance of being right), scores rising, chances never falling
    samples: int
    ece: float  # expected calibration error, cross-fitted, in [0, 1]
    risk_coverage: Points  # (share answered, share of those that is wrong)
    # (score, rows kept above it, wrong ones of those), scores falling. None: of an earlier version
    risk_table: RiskTable = ()
    scope_threshold: float | None = None  # in [0, 1]; see scope.py. None: the likeliest label tells
    method: str = "isotonic"


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

    @property
    def scope_threshold(self) -> float:
        """What speaks more for out of scope than this is out of scope, in [0, 1]."""
        fitted = self.curve.scope_threshold if self.curve else None
        return LEVEL if fitted is None else fitted


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
