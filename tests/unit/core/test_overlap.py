import pytest

from agent.core.find.overlap import settle
from agent.stages import Span


def test_spans_that_touch_stay_apart() -> None:
    spans = (Span(0, 3, "IP"), Span(3, 5, "MAC"))

    assert settle(reversed(spans)) == spans


def test_no_character_of_an_overlap_is_lost() -> None:
    chain = [Span(0, 4, "PHONE"), Span(3, 8, "CARD", 0.7, "Luhn"), Span(7, 9, "PHONE")]

    assert settle(chain) == (Span(0, 9, "CARD", 0.7, "Luhn"),)


def test_span_inside_another_does_not_end_it() -> None:
    spans = [Span(0, 9, "EMAIL"), Span(1, 2, "IP"), Span(5, 7, "PHONE")]

    assert settle(spans) == (Span(0, 9, "EMAIL"),)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Span(0, 4, "EMAIL", 0.1), Span(0, 4, "IBAN", 1.0)),
        (Span(0, 4, "IBAN", 0.1), Span(0, 4, "CARD", 1.0)),
        (Span(0, 4, "CARD", 0.1), Span(0, 4, "IP", 1.0)),
        (Span(0, 4, "IP", 0.1), Span(0, 4, "MAC", 1.0)),
        (Span(0, 4, "MAC", 0.1), Span(0, 4, "PHONE", 1.0)),
        (Span(0, 4, "PHONE", 0.1), Span(0, 4, "UNHEARD_OF", 1.0)),
        (Span(0, 4, "IP", 0.9, "high"), Span(0, 4, "IP", 0.8, "low")),
        (Span(0, 4, "IP", 0.9, "long"), Span(0, 3, "IP", 0.9, "short")),
    ],
)
def test_precedence_then_score_then_length_names_an_overlap(better: Span, worse: Span) -> None:
    assert settle([worse, better]) == settle([better, worse]) == (better,)
