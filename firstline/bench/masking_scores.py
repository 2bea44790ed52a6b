"""How much of what is personal was found: two ways of counting.

    strict     each labelled span has one found span of its own: same type, IoU >= 0.9
    words      as presidio-evaluator's SpanEvaluator counts, from which published figures come:
               runs of words of one type, over words that say nothing by themselves, IoU >= 0.9

IoU is the characters that two spans share, by those that either has. F2 weighs recall four times as
much as precision: what is missed leaves the device, what is masked needlessly comes back.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from firstline.bench.masking_data import Marked

_IOU = 0.9
_BETA_SQUARED = 4.0  # F2
_WORD = re.compile(r"\w+(?:['\u2019.]\w+)*|[^\w\s]")
# Words that neither begin nor end a span, nor keep two apart, as in "12 Main Street in Boston".
_SKIPPED_WORDS = """
a about above after again against all also am an and any are as at be been before being below
between both but by can could did do does down during each for from further had has have he
her here him his how i if in into is it its just me more most my no nor not now of off on once
only or other our out over own same she should so some such than that the their them then there
these they this those through to too under until up very was we were what when where which
while who whom why will with would you your
address age ago apt box city corner country day days de do evening first inc inc. last ltd miss
month months morning mr. mrs. night noon old p.o. po rue st st. state street suite unit via
week weekend weeks y/o year years zip afternoon
"""
_SKIPPED = frozenset(_SKIPPED_WORDS.split())


@dataclass(frozen=True, slots=True)
class Score:
    """Of one type."""

    precision: float
    recall: float
    f2: float
    support: int  # labelled spans


@dataclass(slots=True)
class Tally:
    """Counts of many texts, by type."""

    right: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)

    def score(self, types: Iterable[str]) -> Score:
        """Score some types together."""
        wanted = tuple(types)
        right, found, labelled = (
            sum(counts[each] for each in wanted)
            for counts in (self.right, self.found, self.labelled)
        )
        precision = right / found if found else 0.0
        recall = right / labelled if labelled else 0.0
        weighed = _BETA_SQUARED * precision + recall
        f2 = (1 + _BETA_SQUARED) * precision * recall / weighed if weighed else 0.0
        return Score(precision, recall, f2, labelled)

    def types(self) -> list[str]:
        """Every type that was labelled or found."""
        return sorted(self.found.keys() | self.labelled.keys())


def pairs(labelled: Sequence[Marked], found: Sequence[Marked]) -> list[tuple[int, int]]:
    """Give each labelled span at most one found span of its type, the best fit first."""
    fits = sorted(
        (
            (iou, one, other)
            for one, wanted in enumerate(labelled)
            for other, got in enumerate(found)
            if wanted.type == got.type and (iou := _iou(wanted, got)) >= _IOU
        ),
        reverse=True,
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in fits:
        if one not in partner and other not in taken:
            partner[one] = other
            taken.add(other)
    return sorted(partner.items())


def count_strictly(tally: Tally, labelled: Sequence[Marked], found: Sequence[Marked]) -> None:
    """Count one text, span by span."""
    tally.labelled.update(span.type for span in labelled)
    tally.found.update(span.type for span in found)
    tally.right.update(labelled[one].type for one, _ in pairs(labelled, found))


def count_by_words(
    tally: Tally, text: str, labelled: Sequence[Marked], found: Sequence[Marked]
) -> None:
    """Count one text, run of words by run of words."""
    words = [match.span() for match in _WORD.finditer(text) if not _says_nothing(match[0].lower())]
    wanted, got = list(_runs(words, labelled)), list(_runs(words, found))
    tally.labelled.update(run.type for run in wanted)
    for run in wanted:
        touching = [other for other in got if _shared(run, other) > 0]
        for kind in {other.type for other in touching}:
            tally.found[kind] += 1
            covering = [other for other in touching if other.type == kind]
            if kind == run.type and _joint_iou(run, covering) >= _IOU:
                tally.right[kind] += 1
    alone = (run for run in got if not any(_shared(run, other) > 0 for other in wanted))
    tally.found.update(run.type for run in alone)


def _says_nothing(word: str) -> bool:
    return word in _SKIPPED or not any(map(str.isalnum, word))


def _runs(words: Sequence[tuple[int, int]], spans: Sequence[Marked]) -> Iterator[Marked]:
    """Merge neighbouring words of one type; words that say nothing are no longer among them."""
    marks = ((_type_at(word, spans), word) for word in words)
    for kind, run in groupby(marks, key=lambda mark: mark[0]):
        if kind:
            members = [word for _, word in run]
            yield Marked(members[0][0], members[-1][1], kind)


def _type_at(word: tuple[int, int], spans: Sequence[Marked]) -> str:
    start, end = word
    inside = (each for each in spans if each.start <= start < each.end or start <= each.start < end)
    return next((each.type for each in inside), "")


def _shared(one: Marked, other: Marked) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def _iou(one: Marked, other: Marked) -> float:
    shared = _shared(one, other)
    return shared / (one.end - one.start + other.end - other.start - shared) if shared > 0 else 0.0


def _joint_iou(run: Marked, others: Sequence[Marked]) -> float:
    """Compare a run with several together."""
    wanted = set(range(run.start, run.end))
    got = {place for other in others for place in range(other.start, other.end)}
    return len(wanted & got) / len(wanted | got)
