"""What was missed and what was found for nothing, by type and rule: where to look first.

missed    nothing of it was found
type      its characters, but called something else
extent    too few characters or too many
false     found where nothing is labelled
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from firstline.bench.masking_data import Case, Marked
from firstline.bench.masking_scores import pairs

_AROUND = 30  # characters shown on either side


@dataclass(frozen=True, slots=True)
class Miss:
    """One kind of mistake and how often it was made."""

    kind: str
    labelled: str  # type; empty where nothing is labelled
    found: str  # type; empty where nothing was found
    rule: str
    count: int
    texts: tuple[str, ...] = field(repr=False)  # personal: shown only to who asks for them


def misses(cases: Sequence[Case], found: Sequence[Sequence[Marked]]) -> list[Miss]:
    """Sort the mistakes by kind, the most frequent kind first."""
    kinds: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for case, got in zip(cases, found, strict=True):
        for kind, where in _mistakes(case.spans, got):
            kinds[kind].append(_shown(case.text, where))
    told = [Miss(*kind, len(texts), tuple(texts)) for kind, texts in kinds.items()]
    return sorted(told, key=lambda miss: (-miss.count, miss.kind, miss.labelled, miss.found))


def _mistakes(
    labelled: Sequence[Marked], found: Sequence[Marked]
) -> Iterator[tuple[tuple[str, str, str, str], Marked]]:
    right = pairs(labelled, found)
    done, used = {one for one, _ in right}, {other for _, other in right}
    rest = [span for place, span in enumerate(found) if place not in used]
    for place, span in enumerate(labelled):
        if place in done:
            continue
        best = max(found, key=lambda other: _shared(span, other), default=None)
        if best is None or _shared(span, best) <= 0:
            yield ("missed", span.type, "", ""), span
        else:
            kind = "extent" if best.type == span.type else "type"
            yield (kind, span.type, best.type, best.rule), span
    for span in rest:
        if not any(_shared(span, other) > 0 for other in labelled):
            yield ("false", "", span.type, span.rule), span


def _shared(one: Marked, other: Marked) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def _shown(text: str, span: Marked) -> str:
    before, after = text[max(0, span.start - _AROUND) : span.start], text[span.end :][:_AROUND]
    return f"{before}[{text[span.start : span.end]}]{after}".replace("\n", " ")
