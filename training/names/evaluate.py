"""Figures of models that have not seen what they read: the rules and the names together.

presidio    presidio-research: each half of the templates, by a model trained on the other half
unseen      the same texts, by a model that was trained on none of its templates
tweets      WNUT17's dev split, by the models of the halves
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from agent.core.find import find_with
from agent.core.find.features import Reader
from agent.models.names import Names
from agent.stages import FindSpans
from firstline.bench.masking import Measured, judge
from firstline.bench.masking_data import Case, Marked, read_cases, type_of
from training.names import model, samples
from training.names.samples import Sample

_HALVES = 2


def figures(data: Path, base: Sequence[Sample], reader: Reader, lexicon: bytes) -> dict[str, float]:
    """Train a model for each half and one for both, and measure them on what they have not seen."""
    presidio = samples.presidio(data)
    cases = read_cases(data / samples.PRESIDIO)
    tweets = samples.tweets(data, "dev")
    read = [Case(each.text, _labelled(each)) for each in tweets]
    others = ([each for each in presidio if _half(each) != half] for half in range(_HALVES))
    halves = [_trained([*base, *seen * model.PRESIDIO_COPIES], reader, lexicon) for seen in others]
    unseen = _trained(base, reader, lexicon)
    on_halves = judge(
        cases, _measured([_marked(halves[_half(each)], each.text) for each in presidio])
    )
    on_all = judge(cases, _measured([_marked(unseen, each.text) for each in presidio]))
    on_tweets = [
        judge(read, _measured([_marked(find, each.text) for each in tweets])) for find in halves
    ]
    return {
        "presidio_person_f2": round(on_halves.person_f2, 3),
        "presidio_pii_f2": round(on_halves.pii_f2, 3),
        "presidio_pattern8_f2": round(on_halves.pattern8_f2, 3),
        "unseen_person_f2": round(on_all.person_f2, 3),
        "unseen_pii_f2": round(on_all.pii_f2, 3),
        "tweets_person_f2": round(fmean(each.person_f2 for each in on_tweets), 3),
    }


def _trained(seen: Sequence[Sample], reader: Reader, lexicon: bytes) -> FindSpans:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / model.LEXICON).write_bytes(lexicon)
        model.train(seen, reader, folder / model.MODEL)
        model.describe(folder, {})
        return find_with(Names(folder))


def _half(sample: Sample) -> int:
    """Which half a template is in: theirs are even numbers."""
    return sample.template // 2 % _HALVES


def _marked(find: FindSpans, text: str) -> list[Marked]:
    return [Marked(span.start, span.end, type_of(span.label), span.rule) for span in find(text)]


def _labelled(sample: Sample) -> tuple[Marked, ...]:
    return tuple(Marked(start, end, type_of(label)) for start, end, label in sample.spans)


def _measured(found: Sequence[Sequence[Marked]]) -> Measured:
    return Measured(0.0, 0.0, [0.0] * len(found), found)
