"""The agent's settings file: every key, its unit and its range."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from agent.core.generalize import GENERALIZABLE
from agent.core.phrases import phrases
from agent.core.policy import DENIED, LABELS, FieldRule, Treatment
from agent.core.pseudonyms import Style
from broker.wire.messages import Priority
from broker.wire.payload import PayloadKind
from broker.wire.tls import TlsFiles
from firstline.settings.board import BoardSection
from firstline.settings.source import Document, Fault, Section
from firstline.shipped import DEFAULT_LANGUAGES

DOMAIN = r"^[a-z0-9][a-z0-9/_-]*$"  # as questions carry it
_NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
_LABEL = r"^[A-Z][A-Z_]{0,31}$"


class BrokerSection(Section):
    """A broker to connect to."""

    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65_535)
    tls: bool = False  # 1.3, and both sides show a certificate
    certificates: Path | None = None  # a folder of tls-ca.pem, tls.pem, tls.key; else credentials

    def tls_files(self, credentials: Path, base: Path) -> TlsFiles | None:
        """What to show and whom to believe; `base` is the settings file's folder."""
        return TlsFiles.of(base / (self.certificates or credentials)) if self.tls else None


class AgentSection(Section):
    """The device itself. Paths are relative to the settings file."""

    credentials: Path = Path("keys")  # made by `firstline join`, or by `fleet enroll --folder`
    state: Path = Path("state")  # the outbox lives here
    resend_s: float = Field(default=1.5, ge=0.1, le=600)  # first pause before asking again
    max_questions: int = Field(default=100_000, ge=1)  # in the outbox
    conversation_s: float = Field(default=86_400.0, ge=1, le=31_536_000)  # after its last use
    names: tuple[str, ...] = DEFAULT_LANGUAGES  # shipped languages, or folders; none: rules alone


class UpdatesSection(Section):
    """Packages that the fleet's operator releases."""

    enabled: bool = True
    groups: tuple[Annotated[str, StringConstraints(pattern=_NAME)], ...] = Field(
        default=("all",), min_length=1, max_length=16
    )  # whose releases it takes


class ModelSection(Section):
    """A model package and how it runs."""

    package: str  # a shipped package's name, or a folder
    threads: int = Field(default=1, ge=1, le=64)
    timeout_s: float = Field(default=5.0, gt=0, le=600)  # for one answer
    unload_after_s: float = Field(default=0.0, ge=0, le=86_400)  # of idleness; 0: never
    profile: Literal["fast", "low_memory"] = "fast"  # how it is held in memory
    max_memory_mb: int = Field(default=0, ge=0, le=1_048_576)  # 0: three quarters of the board's


class EndpointSection(Section):
    """Where questions come from, or answers go."""

    kind: Literal["folder", "topic"]
    path: Path | None = None  # of a folder
    topic: str | None = None  # on the local broker, without wildcards

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "folder" and self.path is None:
            raise ValueError("a folder needs a 'path'")
        if self.kind == "topic" and (not self.topic or set("+#") & set(self.topic)):
            raise ValueError("a topic needs a 'topic' without wildcards")
        return self


class InputSection(EndpointSection):
    """Where a task's questions come from."""

    kind: Literal["folder", "stdin", "topic"]  # type: ignore[assignment] # one kind more


class OutputSection(EndpointSection):
    """Where a task's answers go."""

    kind: Literal["folder", "stdout", "topic"]  # type: ignore[assignment] # one kind more


class MaskSection(Section):
    """What happens to personal data of each type, and to a record's fields."""

    default: FieldRule = FieldRule.DROP  # for fields that are not listed
    fields: dict[str, FieldRule] = Field(default_factory=dict)
    types: dict[str, Treatment] = Field(default_factory=dict)  # by the label of a placeholder
    allow: tuple[str, ...] = ()  # phrases that may leave
    allow_file: Path | None = None  # more of them, one a line
    deny: tuple[str, ...] = ()  # phrases that never do
    deny_file: Path | None = None
    deny_label: str = Field(default=DENIED, pattern=_LABEL)  # of their placeholders
    style: Style = Style.PLACEHOLDER  # of what stands for personal data

    @field_validator("allow", "deny")
    @classmethod
    def _have_words(cls, listed: tuple[str, ...]) -> tuple[str, ...]:
        phrases(listed)
        return listed

    def faults(self) -> Iterator[Fault]:
        """Types that there are not, and those of which nothing coarser is known."""
        for label, treatment in self.types.items():
            if label not in LABELS:
                near = get_close_matches(label.upper(), LABELS, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(LABELS)}"
                yield ("types", label), f"unknown type, {hint}"
            elif treatment is Treatment.GENERALIZE and label not in GENERALIZABLE:
                known = ", ".join(sorted(GENERALIZABLE))
                yield ("types", label), f"nothing coarser is known of it, only of {known}"


class TaskSection(Section):
    """One job."""

    name: str = Field(pattern=_NAME)
    model: str  # a name under [models]
    domain: str = Field(pattern=DOMAIN, max_length=128)  # which of the package's domains
    payload: PayloadKind = PayloadKind.TEXT
    # Of the answers that the device keeps, this share may be wrong.
    max_error: float | None = Field(default=0.05, ge=0, le=1)
    confidence: float = Field(default=0.9, ge=0.5, le=0.999)  # that `max_error` holds
    max_share: float | None = Field(default=None, ge=0, le=1)  # of questions that may be asked
    explore: float = Field(default=0.01, ge=0, le=0.1)  # of kept answers, asked to check them
    patience_s: float = Field(default=60.0, gt=0, le=86_400)  # an escalated question may wait
    frugal_share: float | None = Field(default=None, ge=0, le=1)  # on battery, or metered
    frugal_wait_s: float = Field(default=0.0, ge=0, le=86_400)  # the same: before it is sent
    priority: Priority = Priority.NORMAL  # of its questions, beside those of other tasks
    provisional: bool = False  # answer locally at once, and again when the cloud has answered
    max_bytes: int = Field(default=1_048_576, ge=1, le=64 * 1_048_576)  # of one input
    max_chars: int = Field(default=8192, ge=1, le=100_000)  # of a text; the rest is cut and flagged
    input: InputSection
    output: OutputSection
    mask: MaskSection = MaskSection()

    @model_validator(mode="before")
    @classmethod
    def _one_bound(cls, values: object) -> object:
        """Whoever bounds only what is asked has set no bound on error."""
        if isinstance(values, dict) and "max_share" in values and "max_error" not in values:
            return values | {"max_error": None}
        return values


class AgentSettings(Document):
    """The whole file."""

    agent: AgentSection = AgentSection()
    board: BoardSection = BoardSection()
    broker: BrokerSection = BrokerSection()
    local_broker: BrokerSection | None = None
    updates: UpdatesSection = UpdatesSection()
    models: dict[str, ModelSection]
    tasks: tuple[TaskSection, ...] = Field(min_length=1)

    def faults(self) -> Iterator[Fault]:
        """Names that are given twice or not at all, and readers of the same input."""
        first: dict[str, int] = {}
        readers = 0
        for number, task in enumerate(self.tasks):
            for inner, message in task.mask.faults():
                yield ("tasks", number, "mask", *inner), message
            if first.setdefault(task.name, number) != number:
                yield ("tasks", number, "name"), f"there is another task {task.name!r}"
            if task.frugal_wait_s >= task.patience_s:
                yield ("tasks", number, "frugal_wait_s"), "it must be less than 'patience_s'"
            if task.model not in self.models:
                known = ", ".join(sorted(self.models)) or "no model at all"
                yield ("tasks", number, "model"), f"not under [models]: there is {known}"
            if "topic" in (task.input.kind, task.output.kind) and self.local_broker is None:
                yield ("tasks", number), "it uses a topic: add a [local_broker]"
            readers += task.input.kind == "stdin"
            if task.input.kind == "stdin" and readers > 1:
                yield ("tasks", number, "input"), "another task reads standard input already"
