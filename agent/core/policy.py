"""What a task says of personal data, and what that means for the spans of a text.

    span --deny list?--> masked          (a denied word wins over all that follows)
         --allow list?-> as it stands
         --its type----> mask, drop, generalize or keep

What a task does not name is masked; a field that it does not name is dropped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agent.core.phrases import NO_PHRASES, Phrases
from agent.core.pseudonyms import Style
from agent.stages import Span

# What finders call what they find, in the order of the README.
LABELS = (
    *("EMAIL", "PHONE", "CARD", "IBAN", "IP", "MAC", "URL", "DATE", "TIME"),
    *("SSN", "NATIONAL_ID", "DRIVER_LICENSE", "ADDRESS", "POSTCODE", "GPS", "PLATE", "MRN"),
    *("IMEI", "ICCID", "VIN", "SERIAL", "SECRET", "CRYPTO", "AGE"),
    *("PERSON", "LOCATION", "ORG", "TITLE", "GROUP"),
)
DENIED = "DENIED"
_ON_THE_LIST = "deny list"


class FieldRule(StrEnum):
    """What becomes of a record's field; the later, the safer."""

    KEEP = "keep"
    GENERALIZE = "generalize"
    PSEUDONYMIZE = "pseudonymize"
    DROP = "drop"


class Treatment(StrEnum):
    """What becomes of personal data of one type in a text."""

    MASK = "mask"  # a placeholder, restored in the answer
    DROP = "drop"  # a mark that something was there
    GENERALIZE = "generalize"  # a coarser value
    KEEP = "keep"


class Fate(StrEnum):
    """What became of a span."""

    MASKED = "masked"
    DROPPED = "dropped"
    GENERALIZED = "generalized"
    KEPT = "kept"
    ALLOWED = "allowed"


# Clock times, weekdays and "tomorrow" say who nobody is, and a home needs them.
_DEFAULTS: Mapping[str, Treatment] = {"TIME": Treatment.KEEP}
_FATES = {
    Treatment.MASK: Fate.MASKED,
    Treatment.DROP: Fate.DROPPED,
    Treatment.GENERALIZE: Fate.GENERALIZED,
    Treatment.KEEP: Fate.KEPT,
}
_GONE = (Fate.MASKED, Fate.DROPPED)
LEFT = (Fate.KEPT, Fate.ALLOWED)  # it leaves as it is


@dataclass(frozen=True, slots=True)
class MaskRules:
    """What a task says of its fields and of what the finders find."""

    fields: Mapping[str, FieldRule] = field(default_factory=dict)  # a name, or such as *_email
    default: FieldRule = FieldRule.DROP
    names: frozenset[str] = frozenset()  # of fields and channels: the operator's or the model's
    types: Mapping[str, Treatment] = field(default_factory=dict)
    allow: Phrases = NO_PHRASES
    deny: Phrases = NO_PHRASES
    deny_label: str = DENIED
    style: Style = Style.PLACEHOLDER

    def treatment(self, label: str) -> Treatment:
        """What becomes of this type."""
        return self.types.get(label) or _DEFAULTS.get(label, Treatment.MASK)


def decide(text: str, spans: Sequence[Span], rules: MaskRules) -> list[tuple[Span, Fate]]:
    """Say what becomes of each span, and of what the deny list adds; in reading order."""
    allowed = _inside(spans, sorted(rules.allow.places(text)))
    decided = [
        (span, Fate.ALLOWED if span in allowed else _FATES[rules.treatment(span.label)])
        for span in spans
    ]
    denied = sorted(rules.deny.places(text))
    return list(_with(decided, denied, rules.deny_label)) if denied else decided


def _inside(spans: Iterable[Span], places: Sequence[tuple[int, int]]) -> set[Span]:
    """Give the spans that lie in a place; both are sorted by their starts."""
    inside: set[Span] = set()
    furthest = number = 0
    for span in spans:
        while number < len(places) and places[number][0] <= span.start:
            furthest = max(furthest, places[number][1])
            number += 1
        if span.end <= furthest:
            inside.add(span)
    return inside


def _with(
    decided: Sequence[tuple[Span, Fate]], denied: Iterable[tuple[int, int]], label: str
) -> Iterator[tuple[Span, Fate]]:
    """Put denied places among the spans: what overlaps becomes one, masked as denied.

    A place inside a span that is masked or dropped anyway changes nothing.
    """
    gone = [(span.start, span.end) for span, fate in decided if fate in _GONE]
    places = [Span(start, end, label, 1.0, _ON_THE_LIST) for start, end in denied]
    held = _inside(places, gone)
    added = [(place, Fate.MASKED) for place in places if place not in held]
    cluster: list[tuple[Span, Fate]] = []
    end = 0
    for each in sorted([*decided, *added], key=lambda each: each[0].start):
        if cluster and each[0].start >= end:
            yield _merged(cluster, label)
            cluster = []
        cluster.append(each)
        end = max(end, each[0].end)
    yield _merged(cluster, label)


def _merged(cluster: Sequence[tuple[Span, Fate]], label: str) -> tuple[Span, Fate]:
    if len(cluster) == 1:
        return cluster[0]
    spans = tuple(span for span, _ in cluster)
    end = max(span.end for span in spans)
    return Span(spans[0].start, end, label, 1.0, _ON_THE_LIST, spans), Fate.MASKED
