"""Samples <-> what the CRF sees: a row of attributes and a BIO label for each word."""

from agent.core.find.features import Reader, Row, is_cased
from agent.core.find.tokens import Words, cut
from agent.models.names import spans
from training.names.samples import Sample

OUTSIDE = "O"


def labelled(sample: Sample, words: Words) -> list[str]:
    """Label each word of a sample: B- at a span's beginning, I- inside, O outside."""
    labels = []
    spans = sorted(sample.spans)
    place = 0
    begun = False
    for start, end in zip(words.starts, words.ends, strict=True):
        while place < len(spans) and spans[place][1] <= start:
            place, begun = place + 1, False
        if place < len(spans) and spans[place][0] < end:
            labels.append(("I-" if begun else "B-") + spans[place][2])
            begun = True
        else:
            labels.append(OUTSIDE)
    return labels


def sequence(sample: Sample, reader: Reader) -> tuple[list[Row], list[str]]:
    """Make a training sequence of a sample."""
    words = cut(sample.text)
    return reader.rows(words.words, cased=is_cased(sample.text)), labelled(sample, words)


def marks(words: Words, labels: list[str]) -> list[tuple[int, int, str]]:
    """Read labels as spans of characters."""
    return [
        (words.starts[first], words.ends[last - 1], labels[first][2:])
        for first, last in spans(labels)
    ]
