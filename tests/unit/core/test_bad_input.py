# ruff: noqa: RUF001 - look-alike characters are what some rows are about
"""What nobody meant to send: from the bytes to what leaves, and back.

bytes -> clean -> mask: no planted value in it --restore--> the cleaned text, to the letter
"""

import json
import time

import pytest

from agent.core.clean import Expectation, clean
from agent.core.errors import InputError
from agent.core.find import find
from agent.core.mask import MaskResult, mask
from agent.core.policy import FieldRule, MaskRules
from agent.core.restore import restore
from agent.stages import Raw
from broker.wire.payload import Payload, PayloadKind, Record, Text
from tests.logs import machine_lines, one_text

MAIL = "anna.berg@example.org"
CARD = "4539 5787 6362 1486"
MEGABYTE = 1_000_000
WHOLE = 4 * MEGABYTE  # nothing is cut
RULES = MaskRules(default=FieldRule.KEEP)
HIDDEN_CARD = CARD.replace(" ", "\u200b \u2060")
HIDDEN_MAIL = "an\u200bna.be\u00adrg\u2060@exam\u200dple\ufeff.org"


def masked(data: bytes, kind: PayloadKind = PayloadKind.TEXT) -> tuple[Payload, MaskResult]:
    """What was cleaned, and what leaves of it."""
    cleaned = clean(Raw("home", "a.txt", data), Expectation(kind, WHOLE, WHOLE))
    return cleaned.payload, mask(cleaned, RULES, find)


def left(result: MaskResult) -> str:
    """Everything that leaves, as one text."""
    payload = result.masked.payload
    assert isinstance(payload, Text | Record)
    return payload.text if isinstance(payload, Text) else json.dumps(dict(payload.fields))


TEXTS = {
    "a megabyte of prose": f"The lights in the hall are on. Write to {MAIL}. " * 14_000,
    "a megabyte without a space": f"lights,{MAIL};" * 35_000,
    "one log line without spaces": f"ts=1;user={MAIL};card={CARD.replace(' ', '')};ip=203.0.113.77;"
    + "x=0;" * 50_000,
    "one word of a megabyte": "a" * MEGABYTE + f" {MAIL}",
    "digits for a megabyte": "1234567890" * (MEGABYTE // 10) + f" {MAIL}",
    "at signs for a megabyte": "@" * MEGABYTE + f" {MAIL}",
    "mixed scripts": f"почта {MAIL} 电话 카드 {CARD} κάρτα",
    "no space between scripts": f"почта{MAIL}电话{CARD}。",
    "Hebrew, right to left": f"דואר אלקטרוני {MAIL} תודה",
    "Arabic, right to left": f"البريد: {MAIL}، وبطاقة {CARD}",
    "turned around by control characters": f"\u202e{MAIL}\u202c \u2067{CARD}\u2069",
    "emoji at both ends": f"👩‍👩‍👧{MAIL}👍🏽 💳{CARD}💳",
    "flags and tags": f"🏴\U000e0067\U000e0062\U000e007f{MAIL}🇩🇪{CARD}",
    "a heap of accents": "Z" + "\u0301" * 5000 + f"a {MAIL}",
    "zero width inside an e-mail address": f"write to {HIDDEN_MAIL} now",
    "zero width inside a card": f"card {HIDDEN_CARD} please",
    "full width": "ａｎｎａ．ｂｅｒｇ＠ｅｘａｍｐｌｅ．ｏｒｇ ４５３９ ５７８７ ６３６２ １４８６",
    "Arabic digits": "بطاقة ٤٥٣٩ ٥٧٨٧ ٦٣٦٢ ١٤٨٦",
    "line breaks inside a card": f"card {CARD.replace(' ', chr(10))} and {MAIL}",
    "control characters": f"\x01{MAIL}\x1b[31m\x7f{CARD}",
    "a byte order mark": f"\ufeff{MAIL}",
    "look-alikes of placeholders": f"<EMAIL_1> <email_2> [CARD_1] {MAIL} {CARD} <EMAIL_99>",
    "look-alikes that touch": f"<EMAIL_{MAIL}1><EMAIL_1{MAIL}>",
    "a placeholder for each number": " ".join(f"<EMAIL_{n}>" for n in range(1, 2000)) + f" {MAIL}",
    "markup": f"<a href='mailto:{MAIL}'>&lt;{MAIL}&gt;</a>",
    "escapes": f'"to\\u003a":"{MAIL}","n":"\\n{CARD}"',
}


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_planted_leaves_and_all_of_it_comes_back(name: str) -> None:
    cleaned, result = masked(TEXTS[name].encode())

    assert isinstance(cleaned, Text)
    assert "example" not in left(result)
    assert not any(part in left(result) for part in ("4539", "٤٥٣٩", "４５３９"))
    assert restore(left(result), result.vault).text == cleaned.text


def nested(depth: int) -> bytes:
    return b'{"a": ' * depth + json.dumps(MAIL).encode() + b"}" * depth


RECORDS = {
    "nested 100 deep": nested(100),
    "a list in it": json.dumps({"to": [MAIL, {"also": MAIL}]}).encode(),
    "a name that is personal": json.dumps({MAIL: 1.0}).encode(),
    "JSON in a string": json.dumps({"raw": json.dumps({"mail": MAIL})}).encode(),
    "a megabyte in a field": json.dumps({"log": f"{MAIL} " * 45_000}).encode(),
    "10,000 fields": json.dumps({f"f{n}": MAIL for n in range(10_000)}).encode(),
    "a half of a pair of surrogates": b'{"note": "\\ud800 ' + MAIL.encode() + b'"}',
}


@pytest.mark.parametrize("name", RECORDS)
def test_nothing_planted_leaves_in_a_record(name: str) -> None:
    _, result = masked(RECORDS[name], PayloadKind.RECORD)

    assert "example.org" not in left(result)
    assert MAIL in result.vault.originals.values()


REFUSED = {
    "cut JSON": b'{"to": "anna.berg@example.org"',
    "no object": b'"anna.berg@example.org"',
    "two objects": b'{"to": "anna.berg@example.org"} {}',
    "a name twice": b'{"to": "anna.berg@example.org", "to": "x"}',
    "not a number": b'{"to": NaN, "cc": "anna.berg@example.org"}',
    "nested 100,000 deep": nested(100_000),
    "another encoding": '{"to": "anna.berg@example.org", "in": "Zürich"}'.encode("utf-16"),
    "half a character": b'{"to": "anna.berg@example.org\xc3"}',
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_record_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(InputError) as refusal:
        masked(REFUSED[name], PayloadKind.RECORD)

    assert "anna" not in str(refusal.value)


LONG = {
    "prose": f"The lights in the hall are on. Write to {MAIL}. ",
    "machine lines": one_text(machine_lines(200)) + "\n",
    "no spaces": f"user={MAIL};ip=203.0.113.77;",
    "digits": "12345678 ",
    "names": "Anna Berg met Omar in Oslo. ",
}


@pytest.mark.parametrize("name", LONG)
def test_ten_times_the_text_takes_ten_times_as_long(name: str) -> None:
    small = LONG[name] * (MEGABYTE // 10 // len(LONG[name]))
    seconds(small)  # warms up

    # Ten if linear, a hundred if quadratic; the rest is for a machine that does other things too.
    assert seconds(small * 10) < 20 * max(seconds(small) for _ in range(2))


def seconds(text: str) -> float:
    data = text.encode()
    started_s = time.process_time()
    masked(data)
    return time.process_time() - started_s
