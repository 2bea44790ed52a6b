"""What the person who packs has said, what was decided for them, and what only they can know."""

from dataclasses import dataclass, field
from pathlib import Path

from broker.wire.payload import PayloadKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of `firstline model pack`; None or empty: not said."""

    model: Path
    name: str = ""
    domain: str = ""
    version: str = "1.0.0"
    licence: str = "unknown"
    parent: str = ""
    kind: str = ""  # classification, regression or generation
    payload: PayloadKind | None = None
    labels: Path | None = None
    out_of_scope: str = ""
    output: str = ""
    scores: str = ""  # logits or probabilities
    deviation: str = ""
    tolerance: float | None = None
    unit: str = ""
    vocabulary: Path | None = None
    max_tokens: int | None = None
    numbers: tuple[str, ...] = ()
    strings: tuple[tuple[str, tuple[str, ...]], ...] = ()
    channels: tuple[str, ...] = ()
    length: int | None = None
    rate_hz: float | None = None
    units: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    layout: str = ""
    context: int | None = None
    prompt: str = ""
    chat: bool | None = None
    system: str = ""
    grammar: Path | None = None
    schema: Path | None = None
    adapter: Path | None = None


@dataclass(slots=True)
class Findings:
    """What was found and decided on the way to a recipe, in order."""

    facts: list[tuple[str, str]] = field(default_factory=list)  # of the file: what, how
    decided: list[tuple[str, str]] = field(default_factory=list)  # option, value and why
    missing: list[tuple[str, str]] = field(default_factory=list)  # option to give, what it is

    def fact(self, what: str, how: str) -> None:
        """The file says so."""
        self.facts.append((what, how))

    def decide(self, what: str, how: str) -> None:
        """Nobody said so: it was concluded, and is told."""
        self.decided.append((what, how))

    def ask(self, option: str, what: str) -> None:
        """Only a person knows."""
        self.missing.append((option, what))
