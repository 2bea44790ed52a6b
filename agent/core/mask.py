"""Clean -> (Masked, Vault), and back at the very end.

    text     each span becomes a placeholder such as <EMAIL_1>
    record   per field: keep (a string still goes through the finders), drop, pseudonymize
    window   samples pass; channel names go through the finders

The same value gets the same placeholder, different values never share one, and no
placeholder stands in the original by itself, in whatever case. So for every text:
restore(mask(text)) == text. A finder that fails stops everything: nothing leaves.

This is the only module that makes a `Masked` (tests/unit/core/test_privacy.py).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agent.core.errors import FinderError
from agent.stages import Clean, Masked, Span, Vault
from broker.wire.payload import Payload, Record, Text, Window

FindSpans = Callable[[str], Sequence[Span]]

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{0,62}_[0-9]{1,9}>", re.ASCII | re.IGNORECASE)
_NOT_LABEL = re.compile(r"[^A-Z0-9]+")
_LABEL_CHARS = 32
_FIELD = "FIELD"  # stands for a field's name that cannot be a label


class FieldRule(StrEnum):
    """What becomes of a record's field."""

    KEEP = "keep"
    DROP = "drop"
    PSEUDONYMIZE = "pseudonymize"


@dataclass(frozen=True, slots=True)
class MaskRules:
    """What a task says of its fields. A field that it does not name is dropped."""

    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    default: FieldRule = FieldRule.DROP


@dataclass(frozen=True, slots=True)
class Masking:
    """One replacement, explained; holds nothing of the original."""

    label: str
    rule: str
    score: float  # in [0, 1]
    placeholder: str
    field: str = ""  # where: a record's field or a window's channel; empty in a text


@dataclass(frozen=True, slots=True)
class MaskResult:
    """What may leave, what must stay, and why."""

    masked: Masked
    vault: Vault
    maskings: tuple[Masking, ...]  # in reading order
    dropped: tuple[str, ...]  # names of fields that stay on the device


@dataclass(frozen=True, slots=True)
class Restored:
    """An answer with the originals in it. Personal."""

    text: str = field(repr=False)
    restored: int  # placeholders replaced
    unknown: int  # placeholders that the vault does not know; they stay visible


def mask(clean: Clean, rules: MaskRules, find: FindSpans) -> MaskResult:
    """Replace personal data by placeholders.

    Raises:
        FinderError: The finder's spans overlap or lie outside of the text.
    """
    ledger = _Ledger(find, _look_alikes(clean.payload))
    dropped: list[str] = []
    payload: Payload
    match clean.payload:
        case Text(text):
            payload = Text(ledger.text(text, ""))
        case Record(fields):
            payload = Record(_mask_fields(fields, rules, ledger, dropped))
        case Window(samples, channels, rate_hz):
            names = (ledger.text(name, f"channel {n}") for n, name in enumerate(channels, 1))
            payload = Window(samples, tuple(names), rate_hz)
    return MaskResult(
        Masked(payload), Vault(ledger.originals), tuple(ledger.maskings), tuple(dropped)
    )


def restore(answer: str, vault: Vault) -> Restored:
    """Put the originals back, in one pass, so that restored text is never searched."""
    unknown = 0
    restored = 0

    def original(match: re.Match[str]) -> str:
        nonlocal restored, unknown
        value = vault.originals.get(match[0].upper())
        if value is None:
            unknown += 1
            return match[0]
        restored += 1
        return value

    text = _PLACEHOLDER.sub(original, answer)
    return Restored(text, restored, unknown)


def _look_alikes(payload: Payload) -> frozenset[str]:
    """Collect what already reads like a placeholder: such a name is never given."""
    return frozenset(
        name.upper() for text in _texts(payload) for name in _PLACEHOLDER.findall(text)
    )


def _texts(payload: Payload) -> Iterable[str]:
    match payload:
        case Text(text):
            return (text,)
        case Record(fields):
            return (*fields, *(value for value in fields.values() if isinstance(value, str)))
        case Window(_, channels, _):
            return channels


def _mask_fields(
    fields: Mapping[str, float | str], rules: MaskRules, ledger: "_Ledger", dropped: list[str]
) -> dict[str, float | str]:
    masked: dict[str, float | str] = {}
    for place, (name, value) in enumerate(fields.items(), 1):
        where = f"field {place}" if ledger.spans(name) else name
        match rules.fields.get(name, rules.default):
            case FieldRule.DROP:
                dropped.append(where)
            case FieldRule.KEEP:
                key = ledger.text(name, where)
                masked[key] = ledger.text(value, where) if isinstance(value, str) else value
            case FieldRule.PSEUDONYMIZE:
                key = ledger.text(name, where)
                label = _FIELD if where != name else _label(name)
                masked[key] = ledger.hide(_written(value), label, "field rule", 1.0, where)
    return masked


def _label(name: str) -> str:
    """Make a placeholder's label of a name: engine id -> ENGINE_ID."""
    label = _NOT_LABEL.sub("_", name.upper())[:_LABEL_CHARS].strip("_")
    return label if label[:1].isalpha() else f"{_FIELD}_{label}".strip("_")


def _written(value: float | str) -> str:
    """Write a number as people do: 7 and not 7.0."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() else repr(value)


@dataclass(slots=True)
class _Ledger:
    """Which value has which placeholder, while one payload is masked."""

    find: FindSpans
    taken: frozenset[str]  # names that the original already holds
    originals: dict[str, str] = field(default_factory=dict)
    maskings: list[Masking] = field(default_factory=list)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def text(self, text: str, where: str) -> str:
        """Replace the spans of one text."""
        pieces: list[str] = []
        end = 0
        for span in self.spans(text):
            value = text[span.start : span.end]
            name = self.hide(value, _label(span.label), span.rule, span.score, where)
            pieces += [text[end : span.start], name]
            end = span.end
        return "".join([*pieces, text[end:]])

    def spans(self, text: str) -> list[Span]:
        """Ask the finder, and refuse what it cannot mean."""
        spans = sorted(self.find(text), key=lambda span: span.start)
        end = 0
        for span in spans:
            if not end <= span.start < span.end <= len(text):
                message = f"The finder's spans overlap or lie outside: {span.label}, {span.rule}."
                raise FinderError(message)
            end = span.end
        return spans

    def hide(self, value: str, label: str, rule: str, score: float, where: str) -> str:
        """Give a value its placeholder."""
        name = self.names.get((label, value)) or self._fresh(label)
        self.names[label, value] = name
        self.originals[name] = value
        self.maskings.append(Masking(label, rule, score, name, where))
        return name

    def _fresh(self, label: str) -> str:
        while True:
            number = self.counts[label] = self.counts.get(label, 0) + 1
            if (name := f"<{label}_{number}>") not in self.taken:
                return name
