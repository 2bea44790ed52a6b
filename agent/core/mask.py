"""Clean -> (Masked, Vault), and back at the very end.

    text     each span becomes a placeholder such as <EMAIL_1>, or what the policy says
    record   per field: keep (what it holds still goes through the finders), generalize,
             pseudonymize, drop
    window   samples pass; channel names go through the finders

The same value gets the same placeholder, different values never share one, and no
placeholder stands by itself in what leaves, in whatever writing. So for every text of which
nothing is removed or made coarser: restore(mask(text)) == text. A finder that fails stops
everything: nothing leaves.

This is the only module that makes a `Masked` (tests/unit/core/test_privacy.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

from agent.core.fields import FieldRules, coarse_field, in_words
from agent.core.find.overlap import settle
from agent.core.generalize import generalize
from agent.core.headings import in_heading
from agent.core.policy import LEFT, Fate, FieldRule, MaskRules, decide
from agent.core.pseudonyms import FIELD, NOTHING, Past, Pseudonyms, Style, is_placeholder, label_of
from agent.core.reading import stands_alone
from agent.core.restore import strays
from agent.core.spans import found
from agent.stages import Clean, FindSpans, Masked, Span, Vault
from broker.wire.payload import Payload, Record, Text, Window

_TRIES = 4  # at surrogates that the input does not hold by itself
BY_NAME = "field rule"  # no finder, but what the settings say of the field
_ID_DIGITS = 12  # of a number in a kept field: cards and IMEIs have as many, counters rarely
REMOVED = "<REMOVED>"  # no placeholder: nothing restores it


@dataclass(frozen=True, slots=True)
class Masking:
    """What became of one piece of personal data; holds nothing of the original."""

    label: str
    rule: str
    score: float  # in [0, 1]
    placeholder: str  # what leaves in its place; empty: itself
    field: str = ""  # where: a record's field or a window's channel; empty in a text
    fate: Fate = Fate.MASKED
    over: tuple[Span, ...] = ()  # what its span won over


@dataclass(frozen=True, slots=True)
class MaskResult:
    """What may leave, what must stay, and why."""

    masked: Masked
    vault: Vault
    maskings: tuple[Masking, ...]  # what was replaced, in reading order
    dropped: tuple[str, ...]  # names of fields that stay on the device
    kept: tuple[Masking, ...] = ()  # what was found and leaves as it is
    past: Past = NOTHING  # what the conversation has given by now
    style: Style = Style.PLACEHOLDER

    @property
    def flags(self) -> tuple[str, ...]:
        """What the reader of the answer must know."""
        flags: tuple[str, ...] = ()
        if self.dropped:
            flags += (f"dropped: {', '.join(self.dropped)}",)
        fates = [masking.fate for masking in self.maskings]
        for fate in (Fate.DROPPED, Fate.GENERALIZED):
            if count := fates.count(fate):
                flags += (f"{fate} before the model saw it, not restored: {count}",)
        if self.style is Style.SURROGATE and (bare := sum(map(self._is_bare, self.maskings))):
            flags += (f"placeholders instead of surrogates: {bare}",)
        return flags

    def _is_bare(self, masking: Masking) -> bool:
        return masking.fate is Fate.MASKED and is_placeholder(masking.placeholder)


def mask(clean: Clean, rules: MaskRules, find: FindSpans, past: Past = NOTHING) -> MaskResult:
    """Replace personal data by placeholders, those of the conversation so far.

    Raises:
        FinderError: The finder failed, or its spans cannot be.
    """
    spans = cache(partial(found, find))  # a field's name is looked at several times
    avoid, tries = frozenset[str](), 0
    while True:
        style, tries = rules.style if tries < _TRIES else Style.PLACEHOLDER, tries + 1
        ledger = _Ledger(spans, rules, past.names(style, avoid))
        payload, dropped = _treated(clean.payload, rules, ledger)
        given = [each.placeholder for each in ledger.maskings if each.fate is Fate.MASKED]
        if not (read := strays(_texts(payload), given, ledger.pseudonyms.originals)):
            break
        avoid |= read  # the input holds them by itself, or what was joined reads like them
    return MaskResult(
        masked=Masked(payload),
        vault=Vault(ledger.pseudonyms.originals),
        maskings=tuple(ledger.maskings),
        dropped=tuple(dropped),
        kept=tuple(ledger.kept),
        past=ledger.pseudonyms.past(),
        style=rules.style,
    )


def _treated(
    payload: Payload, rules: MaskRules, ledger: "_Ledger"
) -> tuple[Payload, Sequence[str]]:
    match payload:
        case Text(text):
            return Text(ledger.text(text, "")), ()
        case Record(fields):
            dropped: list[str] = []
            return Record(_mask_fields(fields, rules, ledger, dropped)), dropped
        case Window(samples, channels, rate_hz):
            names = (ledger.name(name, f"channel {n}") for n, name in enumerate(channels, 1))
            return Window(samples, tuple(names), rate_hz), ()


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
    by_name = FieldRules(rules)
    masked: dict[str, float | str] = {}
    for place, (name, value) in enumerate(fields.items(), 1):
        where = f"field {place}" if ledger.is_personal(name) else name
        match by_name.of(name):
            case FieldRule.DROP:
                dropped.append(where)
            case FieldRule.KEEP:
                masked[ledger.name(name, where)] = ledger.value(name, value, where)
            case FieldRule.GENERALIZE:
                masked[ledger.name(name, where)] = ledger.coarse(name, value, where)
            case FieldRule.PSEUDONYMIZE:
                masked[ledger.name(name, where)] = ledger.pseudonym(name, value, where)
    return masked


def _written(value: float | str) -> str:
    """Write a number as people do: 7 and not 7.0."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() else repr(value)


@dataclass(slots=True)
class _Ledger:
    """What is replaced, while one payload is masked."""

    spans: FindSpans
    rules: MaskRules
    pseudonyms: Pseudonyms
    maskings: list[Masking] = field(default_factory=list)
    kept: list[Masking] = field(default_factory=list)

    def text(self, text: str, where: str) -> str:
        """Treat the spans of one text."""
        return self._replace(text, decide(text, self.spans(text), self.rules), where)

    def name(self, name: str, where: str) -> str:
        """Treat the spans of a name: what is not kept is masked, so that names stay distinct."""
        masked = [(span, Fate.MASKED) for span, fate in self._in_name(name) if fate not in LEFT]
        return self._replace(name, masked, where)

    def is_personal(self, name: str) -> bool:
        """Tell whether a name may not be repeated."""
        return any(fate not in LEFT for _, fate in self._in_name(name))

    def _in_name(self, name: str) -> list[tuple[Span, Fate]]:
        return decide(name, in_heading(name, self.spans, self.rules), self.rules)

    def value(self, name: str, value: float | str, where: str) -> float | str:
        """Treat the spans of a kept field, and a number that is as long as a card's."""
        written = _written(value)
        looks = isinstance(value, str) or len(written) >= _ID_DIGITS
        spans = self._in_field(name, written) if looks else decide(written, (), self.rules)
        masked = self._replace(written, spans, where)
        return value if masked == written else masked

    def coarse(self, name: str, value: float | str, where: str) -> float | str:
        """Make a field coarser, or hide it: nobody knows what is in it."""
        spans = self._in_field(name, value) if isinstance(value, str) else []
        whole = [span for span, _ in spans if span.end - span.start == len(str(value).strip())]
        coarser = coarse_field(name, value, whole[0].label if whole else "")
        if coarser is None:
            return self.pseudonym(name, value, where)
        label = FIELD if where != name else label_of(name)
        masking = Masking(label, BY_NAME, 1.0, _written(coarser), where, Fate.GENERALIZED)
        self.maskings.append(masking)
        return coarser

    def pseudonym(self, name: str, value: float | str, where: str) -> str:
        """Give a whole field its placeholder."""
        label = FIELD if where != name else label_of(name)
        placeholder = self.pseudonyms.name(label, _written(value))
        self.maskings.append(Masking(label, BY_NAME, 1.0, placeholder, where))
        return placeholder

    def _in_field(self, name: str, value: str) -> list[tuple[Span, Fate]]:
        """What finders see in a value, alone and behind its name: "phone: 5550123"."""
        before = f"{in_words(name)}: "
        behind = (
            replace(span, start=max(0, span.start - len(before)), end=span.end - len(before))
            for span in self.spans(before + value)
            if span.end > len(before)
        )
        both = dict.fromkeys([*self.spans(value), *behind])  # mostly the same
        return decide(value, settle(value, both), self.rules)

    def _replace(self, text: str, spans: Sequence[tuple[Span, Fate]], where: str) -> str:
        pieces: list[str] = []
        end = 0
        for span, fate in spans:
            pieces += [text[end : span.start], self._stand_in(text, span, fate, where)]
            end = span.end
        return "".join([*pieces, text[end:]])

    def _stand_in(self, text: str, span: Span, fate: Fate, where: str) -> str:
        label, value = label_of(span.label), text[span.start : span.end]
        coarser = generalize(span.label, value) if fate is Fate.GENERALIZED else None
        match fate:
            case Fate.KEPT | Fate.ALLOWED:
                self.kept.append(Masking(label, span.rule, span.score, "", where, fate, span.over))
                return value
            case Fate.GENERALIZED if coarser is not None:
                name = coarser
            case Fate.DROPPED:
                name = REMOVED
            case _:  # what cannot be made coarser is masked
                alone = stands_alone(text, span.start, span.end)
                fate, name = Fate.MASKED, self.pseudonyms.name(label, value, alone=alone)
        self.maskings.append(Masking(label, span.rule, span.score, name, where, fate, span.over))
        return name
