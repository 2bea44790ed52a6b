# ruff: noqa: RUF001 - look-alike characters are what some rows are about
"""All finders together."""

from agent.core.find import find, find_with
from agent.core.find.fold import blank, fold
from agent.stages import Span

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"


def found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find(text)]


def test_all_kinds_are_found_in_one_line() -> None:
    text = f"a@b.com 030 1234567 {CARD}, {IBAN}; 10.0.0.1 00:1A:2b:3c:4D:5e"

    assert found(text) == [
        ("EMAIL", "a@b.com"),
        ("PHONE", "030 1234567"),
        ("CARD", CARD),
        ("IBAN", IBAN),
        ("IP", "10.0.0.1"),
        ("MAC", "00:1A:2b:3c:4D:5e"),
    ]


def test_what_is_found_is_not_read_again_by_a_looser_rule() -> None:
    assert found("DE89 3704 0044 0532 0130 00 030 1234567") == [
        ("IBAN", "DE89 3704 0044 0532 0130 00"),
        ("PHONE", "030 1234567"),
    ]
    assert found("4111 1111 1111 0105 123 456") == [("CARD", "4111 1111 1111 0105")]
    assert found("00-11-22-33-44-55 66 77") == [("MAC", "00-11-22-33-44-55")]


def test_span_says_which_rule_found_it() -> None:
    assert find("a@b.com") == (Span(0, 7, "EMAIL", 1.0, "at sign"),)
    assert find(CARD) == (Span(0, 19, "CARD", 1.0, "Luhn"),)
    assert find("501 030 1234567") == (Span(4, 15, "PHONE", 0.6, "trunk"),)


def test_fold_keeps_positions() -> None:
    assert fold("４–１\u00a0＠") == "4-1 @"


def test_blank_overwrites_overlapping_spans_once() -> None:
    assert blank("abcdef", [Span(3, 5, "A"), Span(1, 4, "A"), Span(2, 3, "A")]) == "a\0\0\0\0f"


def test_another_finder_adds_its_spans_and_settles_with_the_rules() -> None:
    def names(_text: str) -> list[Span]:
        return [Span(0, 3, "PERSON", 0.9, "names"), Span(4, 8, "PERSON", 0.6, "names")]

    spans = find_with(names)("Ann a@b.com")

    assert spans == (Span(0, 3, "PERSON", 0.9, "names"), Span(4, 11, "EMAIL", 1.0, "at sign"))
    assert spans[1].over == (Span(4, 8, "PERSON", 0.6, "names"),)
