"""Both ways of counting, case by case."""

import pytest

from firstline.bench.masking_data import Case, Marked
from firstline.bench.masking_misses import misses
from firstline.bench.masking_scores import Score, Tally, count_by_words, count_strictly, pairs

TEXT = "Mr. Jan van Dijk lives at 12 Main Street in Boston with Eva."


def mark(words: str, kind: str) -> Marked:
    start = TEXT.index(words)
    return Marked(start, start + len(words), kind)


JAN = mark("Jan van Dijk", "PERSON")
EVA = mark("Eva", "PERSON")
HOME = mark("12 Main Street", "PERSON")

# What is labelled, what is found -> right, found, labelled.
STRICT = {
    "the same": ([JAN, EVA], [JAN, EVA], (2, 2, 2)),
    "nothing": ([JAN], [], (0, 0, 1)),
    "for nothing": ([], [JAN], (0, 1, 0)),
    "cut short": ([JAN], [mark("Jan van", "PERSON")], (0, 1, 1)),
    "a title more": ([JAN], [mark("Mr. Jan van Dijk", "PERSON")], (0, 1, 1)),
    "another type": ([JAN], [mark("Jan van Dijk", "ORG")], (0, 1, 1)),
    "twice": ([JAN], [JAN, JAN], (1, 2, 1)),
    "in two pieces": ([JAN], [mark("Jan", "PERSON"), mark("van Dijk", "PERSON")], (0, 2, 1)),
}
WORDS = {
    "the same": ([JAN, EVA], [JAN, EVA], (2, 2, 2)),
    "nothing": ([JAN], [], (0, 0, 1)),
    "for nothing": ([], [JAN], (0, 1, 0)),
    "cut short": ([JAN], [mark("Jan van", "PERSON")], (0, 1, 1)),
    "a title more": ([JAN], [mark("Mr. Jan van Dijk", "PERSON")], (0, 1, 1)),
    "another type": ([JAN], [mark("Jan van Dijk", "ORG")], (0, 1, 1)),
    "in two pieces": ([JAN], [mark("Jan", "PERSON"), mark("van Dijk", "PERSON")], (1, 1, 1)),
    "a word that says nothing": ([HOME], [mark("12 Main", "PERSON")], (1, 1, 1)),
    "two that only such a word parts": (
        [HOME, mark("Boston", "PERSON")],
        [mark("12 Main Street in Boston", "PERSON")],
        (1, 1, 1),
    ),
    "one over two": ([JAN, EVA], [mark(TEXT[4:59], "PERSON")], (0, 2, 2)),
    "the word's beginning stands for all of it": ([EVA], [mark("Ev", "PERSON")], (1, 1, 1)),
}


@pytest.mark.parametrize("name", STRICT)
def test_each_labelled_span_has_one_of_its_own(name: str) -> None:
    labelled, found, expected = STRICT[name]
    tally = Tally()

    count_strictly(tally, labelled, found)

    assert counts(tally) == expected


@pytest.mark.parametrize("name", WORDS)
def test_runs_of_words_are_compared(name: str) -> None:
    labelled, found, expected = WORDS[name]
    tally = Tally()

    count_by_words(tally, TEXT, labelled, found)

    assert counts(tally) == expected


def counts(tally: Tally) -> tuple[int, int, int]:
    return tally.right.total(), tally.found.total(), tally.labelled.total()


def test_the_best_fit_is_taken_first() -> None:
    wide = Marked(JAN.start, JAN.end + 1, "PERSON")

    assert pairs([JAN], [wide, JAN]) == [(0, 1)]
    assert pairs([JAN, wide], [wide, JAN]) == [(0, 1), (1, 0)]


def test_recall_weighs_four_times_as_much_as_precision() -> None:
    tally = Tally()
    count_strictly(tally, [JAN, HOME, EVA, mark("Boston", "PERSON")], [JAN, EVA, mark("12", "ORG")])

    assert tally.score(["PERSON", "ORG"]) == Score(
        2 / 3, 1 / 2, 5 * (1 / 3) / (4 * 2 / 3 + 1 / 2), 4
    )
    assert tally.score(["ORG"]) == Score(0.0, 0.0, 0.0, 0)
    assert tally.types() == ["ORG", "PERSON"]


def test_mistakes_are_sorted_by_kind() -> None:
    found = [
        mark("Jan van", "PERSON"),
        Marked(HOME.start, HOME.end, "ORG", "list"),
        mark("lives", "ORG"),
    ]

    told = misses([Case(TEXT, (JAN, HOME, EVA))], [found])

    assert [(each.kind, each.labelled, each.found, each.rule, each.count) for each in told] == [
        ("extent", "PERSON", "PERSON", "", 1),
        ("false", "", "ORG", "", 1),
        ("missed", "PERSON", "", "", 1),
        ("type", "PERSON", "ORG", "list", 1),
    ]
    assert told[2].texts == ("12 Main Street in Boston with [Eva].",)
