"""What each step hands to the next. Frozen: a step makes a new value, never edits one.

    Raw -> Clean -> (Masked, Vault) -> Draft -> Keep | Escalate | Explore | Withhold -> Delivery

`Masked` is the only type that a model or an envelope accepts, and `agent.core.mask` the
only module that makes one, so sending raw data is a type error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from broker.wire.payload import Payload


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they arrived. May hold anything."""

    task: str
    source: str  # where it came from: a file name, "stdin:3", a topic
    data: bytes = field(repr=False)
    conversation: str = ""  # within it a value keeps its placeholder; empty: this question alone


@dataclass(frozen=True, slots=True)
class Clean:
    """A well-formed payload: NFC text without control characters, finite numbers. Personal."""

    payload: Payload
    changes: tuple[str, ...] = ()  # what cleaning altered, in words, for the answer's flags


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of personal data: characters [start, end) of a text, and who says so."""

    start: int
    end: int
    label: str  # EMAIL, PHONE, CARD, PERSON, ...
    score: float = 1.0  # in [0, 1]
    rule: str = ""  # which rule found it, for `firstline mask`
    over: tuple["Span", ...] = field(default=(), compare=False)  # what overlapped it, and lost


FindSpans = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Masked:
    """A payload in which every span is a placeholder such as <EMAIL_1>."""

    payload: Payload


@dataclass(frozen=True, slots=True)
class Vault:
    """Placeholder -> original. Leaves the device never, is printed never."""

    originals: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """The local model's answer."""

    answer: str
    score: float  # in [0, 1]: what the model says of itself, not yet calibrated
    model: str  # package name and version
    elapsed_ms: float
    truncated: bool = False  # it did not read the whole question, or was cut short itself
    out_of_scope: bool = False  # the model says that it was not made for such a question
    tokens: int = 0  # that a language model wrote


@dataclass(frozen=True, slots=True)
class Keep:
    """Route: the draft is good enough."""

    draft: Draft
    confidence: float  # in [0, 1]: calibrated chance that the draft is right


@dataclass(frozen=True, slots=True)
class Escalate:
    """Route: ask the larger model; the draft is what is left if it does not answer."""

    draft: Draft
    confidence: float  # in [0, 1]
    reason: str


@dataclass(frozen=True, slots=True)
class Explore:
    """Route: good enough, and asked all the same, to learn how often such drafts are wrong."""

    draft: Draft
    confidence: float  # in [0, 1]


@dataclass(frozen=True, slots=True)
class Withhold:
    """Route: it should be asked, but the budget is spent; the draft is delivered, and says so."""

    draft: Draft
    confidence: float  # in [0, 1]
    reason: str


Decision = Keep | Escalate | Explore | Withhold


class Origin(StrEnum):
    """Who answered."""

    DEVICE = "device"
    CLOUD = "cloud"
    DEGRADED = "degraded"  # the device, although it wanted to ask


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way to an answer: what is known of it, and the best answer so far."""

    ticket: UUID
    task: str
    source: str
    started_s: float  # Unix time, seconds: when it arrived
    vault: Vault
    draft: Draft
    confidence: float  # in [0, 1], of the draft
    flags: tuple[str, ...] = ()  # what the reader of the answer must know
    explored: bool = False  # the draft is good enough, and stays the answer if none comes

    def flagged(self, flag: str) -> "Asked":
        """With one thing more that the reader must know."""
        return replace(self, flags=(*self.flags, flag))

    @property
    def alone(self) -> Origin:
        """Whose answer it is if the cloud gives none."""
        return Origin.DEVICE if self.explored else Origin.DEGRADED


@dataclass(frozen=True, slots=True)
class Delivery:
    """The answer, personal data restored. Delivered at least once per ticket."""

    ticket: UUID
    task: str
    source: str
    answer: str = field(repr=False)
    origin: Origin
    confidence: float  # in [0, 1]
    model: str
    elapsed_ms: float  # from the question's arrival to its answer
    final: bool = True  # False: a provisional answer, a correction follows
    flags: tuple[str, ...] = ()  # what the reader must know: truncated, no worker, ...


@dataclass(frozen=True, slots=True)
class Ended:
    """The one answer of a question, and what was known before."""

    delivery: Delivery
    before: Asked
    answer: str = ""  # the cloud's, as it came
