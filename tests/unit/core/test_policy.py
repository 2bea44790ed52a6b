"""What becomes of personal data of each type, and of what is on a list."""

from dataclasses import replace

import pytest

from agent.core.find import find
from agent.core.mask import MaskResult, mask
from agent.core.phrases import MAX_WORDS, phrases
from agent.core.policy import Fate, FieldRule, MaskRules, Treatment
from agent.core.restore import restore
from agent.stages import Clean, Span
from broker.wire.payload import Record, Text, Window

MAIL = "mail anna@example.org"
EMAIL = Span(5, 21, "EMAIL", 1.0, "at sign")


def of_text(text: str, rules: MaskRules, *spans: Span) -> MaskResult:
    return mask(Clean(Text(text)), rules, lambda _: spans)


def left(text: str, rules: MaskRules, *spans: Span) -> str:
    payload = of_text(text, rules, *spans).masked.payload
    assert isinstance(payload, Text)
    return payload.text


def by_type(**types: Treatment) -> MaskRules:
    return MaskRules(types=types)


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        (Treatment.MASK, "born <DATE_1>, today"),
        (Treatment.DROP, "born <REMOVED>, today"),
        (Treatment.GENERALIZE, "born March 1980, today"),
        (Treatment.KEEP, "born 12 March 1980, today"),
    ],
)
def test_a_type_is_treated_as_the_task_says(treatment: Treatment, expected: str) -> None:
    date = Span(5, 18, "DATE")

    assert left("born 12 March 1980, today", by_type(DATE=treatment), date) == expected


def test_what_no_rule_names_is_masked_but_for_times() -> None:
    spans = (Span(0, 5, "TIME"), Span(6, 10, "GROUP"), Span(11, 15, "ANYTHING"))

    assert left("10:33 Dane thing", MaskRules(), *spans) == "10:33 <GROUP_1> <ANYTHING_1>g"


@pytest.mark.parametrize(("label", "text"), [("PERSON", "Anna"), ("DATE", "3/4/21")])
def test_what_cannot_be_made_coarser_is_masked(label: str, text: str) -> None:
    rules = MaskRules(types={label: Treatment.GENERALIZE})

    assert left(text, rules, Span(0, len(text), label)) == f"<{label}_1>"


def test_what_is_dropped_or_coarser_is_not_restored_and_says_so() -> None:
    rules = by_type(AGE=Treatment.GENERALIZE, EMAIL=Treatment.DROP)
    result = of_text("43, a@b.com", rules, Span(0, 2, "AGE"), Span(4, 11, "EMAIL"))

    assert result.vault.originals == {}
    assert restore("<REMOVED>", result.vault).unknown == 0
    assert result.flags == (
        "dropped before the model saw it, not restored: 1",
        "generalized before the model saw it, not restored: 1",
    )
    assert [(each.placeholder, each.fate) for each in result.maskings] == [
        ("40-49", Fate.GENERALIZED),
        ("<REMOVED>", Fate.DROPPED),
    ]


def test_what_is_kept_is_told_without_what_it_is() -> None:
    result = of_text(MAIL, by_type(EMAIL=Treatment.KEEP), EMAIL)

    assert (result.maskings, result.flags) == ((), ())
    assert [(each.label, each.placeholder, each.fate) for each in result.kept] == [
        ("EMAIL", "", Fate.KEPT)
    ]


@pytest.mark.parametrize(
    ("listed", "allowed"),
    [
        ("anna@example.org", True),
        ("ANNA@Example.org", True),
        ("mail anna@example.org", True),
        ("example.org", False),
        ("ann", False),
        ("na@example.org", False),
        ("anna@example.orga", False),
    ],
)
def test_an_allowed_value_passes_and_nothing_around_it(listed: str, allowed: bool) -> None:  # noqa: FBT001
    rules = MaskRules(allow=phrases([listed]))

    assert left(MAIL, rules, EMAIL) == (MAIL if allowed else "mail <EMAIL_1>")


def test_one_allowed_value_does_not_let_its_neighbour_pass() -> None:
    rules = MaskRules(allow=phrases(["a@b.com"]))
    spans = (Span(0, 7, "EMAIL"), Span(8, 15, "EMAIL"))

    assert left("a@b.com c@d.com", rules, *spans) == "a@b.com <EMAIL_1>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask blue falcon now", "ask <DENIED_1> now"),
        ("ask BLUE\u00a0 Falcon's", "ask <DENIED_1>'s"),
        ("\uff22\uff4c\uff55\uff45\u2003\uff26\uff21lcon", "<DENIED_1>"),
        ("(Blue Falcon)", "(<DENIED_1>)"),
        ("blue_falcon_2", "blue_falcon_2"),
        ("bluefalcon", "bluefalcon"),
        ("blue falcons", "blue falcons"),
        ("blue, falcon", "blue, falcon"),
        ("STRASSE 7", "<DENIED_1> 7"),
        ("山田さんに聞く", "<DENIED_1>さんに聞く"),
        ("C++ or C", "<DENIED_1> or C"),
        ("falcon blue falcon blue falcon", "falcon <DENIED_1> <DENIED_1>"),
    ],
)
def test_denied_phrases_are_masked_as_whole_words(text: str, expected: str) -> None:
    listed = ["Blue Falcon", "straße", "山田", "C++"]

    assert left(text, MaskRules(deny=phrases(listed))) == expected


def test_a_denied_word_wins_over_allow_and_keep() -> None:
    text = "New York, a@b.com"
    spans = (Span(0, 8, "LOCATION"), Span(10, 17, "EMAIL"))
    rules = MaskRules(
        types={"LOCATION": Treatment.KEEP},
        allow=phrases(["a@b.com"]),
        deny=phrases(["york", "a@b"]),
        deny_label="CODE_NAME",
    )

    assert left(text, rules, *spans) == "<CODE_NAME_1>, <CODE_NAME_2>"


def test_a_denied_word_inside_what_is_masked_anyway_changes_nothing() -> None:
    rules = MaskRules(deny=phrases(["example"]))

    assert left(MAIL, rules, EMAIL) == "mail <EMAIL_1>"
    assert left(MAIL, replace(rules, types={"EMAIL": Treatment.DROP}), EMAIL) == "mail <REMOVED>"


def test_a_denied_word_that_reaches_out_of_a_span_covers_both() -> None:
    rules = MaskRules(deny=phrases(["mail anna"]))
    result = of_text(MAIL, rules, EMAIL)

    assert result.masked.payload == Text("<DENIED_1>")
    assert result.vault.originals == {"<DENIED_1>": MAIL}


def test_lists_hold_for_names_of_channels_too() -> None:
    rules = MaskRules(deny=phrases(["falcon"]))

    window = mask(Clean(Window(b"\0" * 4, ("falcon",), 1.0)), rules, find).masked.payload

    assert window == Window(b"\0" * 4, ("<DENIED_1>",), 1.0)


def test_names_stay_distinct_whatever_their_type_is_treated_as() -> None:
    window = Window(b"\0" * 8, ("a@b.com", "c@d.com"), 1.0)
    rules = by_type(EMAIL=Treatment.DROP)

    masked = mask(Clean(window), rules, find).masked.payload

    assert masked == Window(b"\0" * 8, ("<EMAIL_1>", "<EMAIL_2>"), 1.0)


@pytest.mark.parametrize("listed", ["", "  ", "x " * (MAX_WORDS + 1)])
def test_a_phrase_without_words_or_with_too_many_is_refused(listed: str) -> None:
    with pytest.raises(ValueError, match="1 to 16 words"):
        phrases([listed])


@pytest.mark.parametrize("text", ["a", "b a", "a a", "a a a"])
def test_a_phrase_and_its_beginning_are_told_apart_at_the_end_of_a_text(text: str) -> None:
    places = list(phrases(["a", "a a"]).places(text))

    assert {text[start:end] for start, end in places} <= {"a", "a a"}
    assert places[-1][1] == len(text)


def test_a_long_list_costs_a_text_no_more_than_a_short_one() -> None:
    listed = [f"a b{number}" for number in range(20_000)]

    assert list(phrases([*listed, "a b"]).places("a b a b7 a c")) == [(0, 3), (4, 8)]


def test_a_record_keeps_what_its_rules_let_through() -> None:
    rules = MaskRules(types={"EMAIL": Treatment.KEEP}, default=FieldRule.KEEP)

    assert mask(Clean(Record({"a": "a@b.com"})), rules, find).masked.payload == Record(
        {"a": "a@b.com"}
    )
