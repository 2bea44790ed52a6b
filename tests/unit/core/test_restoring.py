"""What language models do to placeholders, and what they must not undo."""

import time
import timeit

import pytest

from agent.core.restore import Restored, Restorer, restore, restore_answer
from agent.stages import Vault

NAME, VALUE = "<PERSON_1>", 'John "J" O\\Doe'
VAULT = Vault(
    {
        NAME: VALUE,
        "<EMAIL_1>": "a@b.com",
        "<EMAIL_12>": "l@b.com",
        "<DATE_1>": "21.11.2026",
        "<ENGINE_ID_1>": "<EMAIL_1>",
        "<SHA1_2>": "ff",
        "<LINE_1>": "one",
        "<LINE_1_2>": "two",
    }
)
# One placeholder, as it came back.
REWRITES = {
    "verbatim": "<PERSON_1>",
    "lower case": "<person_1>",
    "bold": "**<PERSON_1>**",
    "code": "`<PERSON_1>`",
    "markdown escape": r"<PERSON\_1>",
    "no brackets": "PERSON_1",
    "space for underscore": "<PERSON 1>",
    "hyphen for underscore": "<PERSON-1>",
    "HTML escape": "&lt;PERSON_1&gt;",
    "possessive": "<PERSON_1>'s",
    "URL escape": "%3CPERSON_1%3E",
    "soft wrap": "<PERSON_\n1>",
    "title case": "<Person_1>",
    "zero width inside": "<PERS\u200bON_1>",
    "parentheses": "(PERSON_1)",
    "square brackets": "[PERSON_1]",
    "doubled square brackets": "[[PERSON_1]]",
    "escaped square brackets": r"\[PERSON\_1\]",
    "URL-escaped square brackets": "%5BPERSON_1%5D",
    "curly brackets": "{PERSON_1}",
    "doubled curly brackets": "{{ PERSON_1 }}",
    "full-width brackets": "\uff1cPERSON\uff3f1\uff1e",
    "guillemets": "\u00abPERSON_1\u00bb",
    "Chinese brackets": "\u3010PERSON_1\u3011",
    "non-breaking hyphen": "<PERSON\u20111>",
    "non-breaking space": "<PERSON\u00a01>",
    "wrapped at a space": "<PERSON\n1>",
    "wrapped after the bracket": "<\nPERSON_1>",
    "no separator": "<PERSON1>",
    "spaces within": "< PERSON_1 >",
    "bold within": "<**PERSON_1**>",
    "XML tag": "<PERSON_1 />",
    "decimal entities": "&#60;PERSON&#95;1&#62;",
    "hexadecimal entities": "&#x3c;PERSON&#X5F;1&#x3E;",
    "escaped twice": "&amp;lt;PERSON_1&amp;gt;",
    "named underscore": "&lt;PERSON&lowbar;1&gt;",
    "URL-escaped underscore": "%3cperson%5f1%3e",
    "JSON escape": r"\u003cPERSON_1\u003e",
    "byte escape": r"\x3cPERSON_1\x3e",
    "escaped brackets": r"\<PERSON_1\>",
    "escape beside a bare one": "%20PERSON_1%20",
    "bare, lower case": "person_1",
    "bare, title case": "Person_1",
    "bare, markdown escape": r"PERSON\_1",
    "bare, soft wrap": "PERSON_\n1",
    "bare, possessive": "PERSON_1\u2019s",
    "bare, capitals with a space": "PERSON 1",
    "bare, capitals with a hyphen": "PERSON-1",
    "bare, non-breaking hyphen": "PERSON\u20111",
    "bare, italic": "_PERSON_1_",
    "bare, quoted": '"PERSON_1"',
    "bare, in Chinese": "\u8bf7PERSON_1\u5427",
    "zero width everywhere": "\u200b<\u200bP\ufeffERSON\u2060_\u00ad1\u200d>",
    "link text": "[PERSON_1](https://example.org)",
    "link target": "[him](mailto:<PERSON_1>)",
}
# Reads like a placeholder, to somebody in a hurry.
ORDINARY = (
    "Person 1",
    "date 1",
    "On Date 1",
    "email-1",
    "(email 1)",
    "EMAIL",
    "EMAIL 1st",
    "EMAIL_1st",
    "EMAIL_1_x",
    "XEMAIL_1",
    "X_EMAIL_1",
    "\u00c9EMAIL_1",
    "<EMAIL>",
    "DATE\n1",
    "EMAIL  1",
    "<P\u017fRSON_1>",
)


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES.keys())
def test_rewritten_placeholder_is_restored(rewrite: str) -> None:
    restored = restore(f"Please call {rewrite} tomorrow.", VAULT)

    assert (restored.restored, restored.unknown) == (1, 0)
    assert VALUE in restored.text
    assert restored.text.startswith("Please call ")
    assert restored.text.endswith(" tomorrow.")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_stay(text: str) -> None:
    assert restore(f"so {text} there", VAULT) == Restored(f"so {text} there", 0, 0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Anna <<EMAIL_1>>", "Anna <a@b.com>"),
        ("[<EMAIL_1>]", "[a@b.com]"),
        ("<EMAIL_1 is", "<a@b.com is"),
        ("EMAIL_1>", "a@b.com>"),
        ("(EMAIL_1)", "(a@b.com)"),
        ("[EMAIL_1](mailto:EMAIL_1)", "[a@b.com](mailto:a@b.com)"),
        ("[EMAIL_1] (home)", "a@b.com (home)"),
        ("<EMAIL_1><EMAIL_12>", "a@b.coml@b.com"),
        ("EMAIL_1EMAIL_1", "EMAIL_1EMAIL_1"),
        ("EMAIL_1, EMAIL_12; EMAIL_1.", "a@b.com, l@b.com; a@b.com."),
        ("<SHA12>", "ff"),
        (r"\<EMAIL_1> \[EMAIL_1]", r"\a@b.com \a@b.com"),
        ("LINE_1 2 LINE_1_2 <line-1-2>", "one 2 two two"),
    ],
)
def test_no_more_than_the_placeholder_is_replaced(answer: str, expected: str) -> None:
    assert restore(answer, VAULT).text == expected


def test_what_was_restored_is_never_searched() -> None:
    assert restore("<ENGINE_ID_1> EMAIL_1", VAULT).text == "<EMAIL_1> a@b.com"


@pytest.mark.parametrize("unknown", ["<EMAIL_7>", "<foo_1>", "[email-7]", "EMAIL_7", "email_7"])
def test_unknown_placeholder_stays_visible_and_is_counted(unknown: str) -> None:
    restored = restore(f"mail {unknown}.", VAULT)

    assert restored == Restored(f"mail {unknown}.", 0, 1)
    assert restored.flags == ("unknown placeholders: 1",)


@pytest.mark.parametrize("stranger", ["[FIG_1]", "FIG_1", "{x_1}", "EMAIL 7", "sha256_1"])
def test_what_no_vault_would_name_is_not_counted(stranger: str) -> None:
    assert restore(stranger, VAULT) == Restored(stranger, 0, 0)


def test_name_that_is_too_long_is_none() -> None:
    text = "<EM" + "\u200b" * 300 + "AIL_1>"

    assert restore(text, VAULT) == Restored(text, 0, 0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"to": "<PERSON_1>"}', '{"to": "John \\"J\\" O\\\\Doe"}'),
        ('{"a": ["EMAIL\\\\_1", 1.50], "b":{}}', '{"a": ["a@b.com", 1.50], "b":{}}'),
        ('{"a": "\\u003cEMAIL_1\\u003e \\u00e9"}', '{"a": "a@b.com \u00e9"}'),
        ('{"<EMAIL_1>": "\\u00e9"}', '{"a@b.com": "\\u00e9"}'),
        ('"<EMAIL_1>"', '"a@b.com"'),
        ('{"to": "<PERSON_1>', '{"to": "John "J" O\\Doe'),
        ("[<PERSON_1>]", '[John "J" O\\Doe]'),
    ],
)
def test_answer_that_is_json_stays_json(answer: str, expected: str) -> None:
    assert restore_answer(answer, VAULT).text == expected


def test_placeholders_in_json_are_counted() -> None:
    restored = restore_answer('["<EMAIL_1>", "<EMAIL_9> <EMAIL_12>"]', VAULT)

    assert (restored.restored, restored.unknown) == (2, 1)


def test_deep_brackets_are_no_json_and_no_error() -> None:
    assert restore_answer("[" * 100_000 + "<EMAIL_1>", VAULT).restored == 1


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES.keys())
def test_pieces_cut_anywhere_give_the_same_text(rewrite: str) -> None:
    answer = f"<EMAIL_7> or {rewrite}: call [PERSON 2] & {rewrite}, e-mail"
    whole = restore(answer, VAULT)

    for cut in range(len(answer) + 1):
        restorer = Restorer(VAULT)
        told = restorer.feed(answer[:cut]) + restorer.feed(answer[cut:]) + restorer.finish()
        assert Restored(told, restorer.restored, restorer.unknown) == whole


def test_streamed_text_is_held_back_for_a_name_only() -> None:
    restorer = Restorer(VAULT)

    assert restorer.feed("Write to them. Ask <PER") == "Write to them. Ask "
    assert restorer.feed("SON_1> now") == f"{VALUE} now"
    assert restorer.feed("<" * 1000) == "<" * 999
    assert restorer.finish() == "<"


@pytest.mark.parametrize(
    "piece", ["<", "EMAIL_", "[[", "E\u200b", "%5F", "EMAIL ", "< ", "&amp;", "\\", "<EMAIL_1>"]
)
def test_time_grows_with_the_answer_and_not_with_its_square(piece: str) -> None:
    small = piece * (4000 // len(piece))

    # Eight times the text: 8 if linear, 64 if quadratic. The floor keeps out the clock's noise.
    assert seconds(small * 8) < 24 * max(seconds(small), 1e-4)


def seconds(answer: str) -> float:
    timer = time.thread_time  # the machine may have more to do
    return min(timeit.repeat(lambda: restore(answer, VAULT), number=1, repeat=3, timer=timer))
