import pytest

from agent.core.find.overlap import settle
from agent.stages import Span

TEXT = "Ann 1234, x"


def test_spans_that_touch_stay_apart() -> None:
    spans = (Span(0, 3, "IP"), Span(3, 5, "MAC"))

    assert settle(TEXT, reversed(spans)) == spans


def test_spans_of_one_label_become_one() -> None:
    chain = [Span(0, 4, "CARD", 0.7), Span(3, 8, "CARD", 1.0, "Luhn"), Span(7, 9, "CARD", 0.7)]

    assert settle(TEXT, chain) == (Span(0, 9, "CARD", 1.0, "Luhn"),)


def test_no_letter_or_digit_of_an_overlap_is_lost() -> None:
    person = Span(0, 11, "PERSON", 0.9, "names")
    phone = Span(4, 8, "PHONE", 0.9, "hyphens")

    settled = settle(TEXT, [person, phone])

    assert settled == (
        Span(0, 3, "PERSON", 0.9, "names"),
        phone,
        Span(10, 11, "PERSON", 0.9, "names"),  # without the comma
    )


def test_winner_names_what_it_won_against() -> None:
    card, phone = Span(0, 9, "CARD"), Span(2, 6, "PHONE")

    (settled,) = settle(TEXT, [phone, card])

    assert settled.over == (phone,)


def test_what_is_left_of_a_loser_is_dropped_if_it_says_nothing() -> None:
    assert settle(TEXT, [Span(3, 8, "PERSON"), Span(4, 8, "PHONE")]) == (Span(4, 8, "PHONE"),)


def test_span_inside_another_does_not_end_it() -> None:
    spans = [Span(0, 9, "EMAIL"), Span(1, 2, "IP"), Span(5, 7, "PHONE")]

    assert settle(TEXT, spans) == (Span(0, 9, "EMAIL"),)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Span(0, 4, "URL", 0.8), Span(0, 4, "EMAIL", 1.0)),
        (Span(0, 4, "EMAIL", 0.8), Span(0, 4, "IBAN", 1.0)),
        (Span(0, 4, "IBAN", 0.8), Span(0, 4, "CARD", 1.0)),
        (Span(0, 4, "CARD", 0.8), Span(0, 4, "IP", 1.0)),
        (Span(0, 4, "IP", 0.8), Span(0, 4, "MAC", 1.0)),
        (Span(0, 4, "MAC", 0.8), Span(0, 4, "PHONE", 1.0)),
        (Span(0, 4, "LOCATION", 0.8), Span(0, 4, "ADDRESS", 1.0)),
        (Span(0, 4, "ADDRESS", 0.8), Span(0, 4, "POSTCODE", 1.0)),
        (Span(0, 4, "PHONE", 0.8), Span(0, 4, "UNHEARD_OF", 1.0)),
        (Span(0, 4, "PERSON", 0.8, "sure"), Span(0, 4, "PHONE", 0.7, "unsure")),
        (Span(0, 4, "IP", 0.9, "high"), Span(0, 4, "IP", 0.8, "low")),
        (Span(0, 4, "IP", 0.9, "long"), Span(0, 3, "IP", 0.9, "short")),
    ],
)
def test_sure_then_precedence_then_score_then_length_wins(better: Span, worse: Span) -> None:
    assert settle(TEXT, [worse, better]) == settle(TEXT, [better, worse]) == (better,)
