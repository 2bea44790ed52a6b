"""Each kind of stand-in, against who would parse it."""

import re
from ipaddress import ip_address, ip_network

import pytest
from stdnum import iban, luhn

from agent.core.find import find
from agent.core.mask import MaskResult, mask
from agent.core.policy import MaskRules
from agent.core.pseudonyms import Past, Style
from agent.core.restore import restore
from agent.core.surrogates import surrogate
from agent.stages import Clean, Span
from broker.wire.payload import Text

KEY = b"k" * 32
DOCUMENTED = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
RULES = MaskRules(style=Style.SURROGATE)


def made(label: str, value: str, attempt: int = 0) -> str:
    found = surrogate(label, value, key=KEY, attempt=attempt)
    assert found is not None
    return found


def shape(text: str) -> str:
    return re.sub("[A-Z]", "A", re.sub("[a-z]", "a", re.sub("[0-9]", "9", text)))


def masked(text: str, past: Past | None = None) -> MaskResult:
    return mask(Clean(Text(text)), RULES, find, past or Past(key=KEY))


def text_of(result: MaskResult) -> str:
    assert isinstance(result.masked.payload, Text)
    return result.masked.payload.text


@pytest.mark.parametrize(
    ("value", "begin"),
    [
        ("4111 1111 1111 1111", "4000 00"),
        ("5500-0000-0000-0004", "5555-55"),
        ("378282246310005", "378282"),
        ("6011000990139424", "601111"),
        ("630400000000", "601111"),
        ("9000000000000000009", "400000"),
    ],
)
def test_a_card_keeps_length_grouping_and_check_digit(value: str, begin: str) -> None:
    card = made("CARD", value)

    assert shape(card) == shape(value)
    assert card.startswith(begin)
    assert luhn.is_valid(re.sub("[ -]", "", card))


@pytest.mark.parametrize(
    "value", ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NO9386011117947"]
)
def test_an_iban_keeps_country_shape_and_check_digits(value: str) -> None:
    other = made("IBAN", value)

    assert shape(other) == shape(value)
    assert other[:2] == value[:2]
    assert iban.is_valid(other, check_country=False)


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("+49 30 1234567", r"\+49 [1-9][0-9] [0-9]{7}"),
        ("+49 (0)30 1234567", r"\+49 \(0\)[1-9][0-9] [0-9]{7}"),
        ("0049-30-1234567", r"0049-[1-9][0-9]-[0-9]{7}"),
        ("+420 601 123 456", r"\+420 [1-9][0-9]{2} [0-9]{3} [0-9]{3}"),
        ("+1-212-555-9876", r"\+1-[2-9][0-9]{2}-555-01[0-9]{2}"),
        ("(212) 736-5000", r"\([2-9][0-9]{2}\) 555-01[0-9]{2}"),
        ("030 1234567 ext. 12", r"0[1-9][0-9] [0-9]{7} ext\. [0-9]{2}"),
    ],
)
def test_a_phone_keeps_its_country_and_grouping(value: str, pattern: str) -> None:
    assert re.fullmatch(pattern, made("PHONE", value))


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("2026-11-21", r"2026-11-[0-2][0-9]"),
        ("2026-11-21T14:03:22Z", r"2026-11-[0-2][0-9]T14:[0-5][0-9]:[0-5][0-9]Z"),
        ("21.11.2026", r"[0-2][0-9]\.11\.2026"),
        ("3.1.26", r"[1-9][0-9]?\.1\.26"),
        ("11/21/2026", r"11/[0-2][0-9]/2026"),
        ("25/11/2026", r"[0-2][0-9]/11/2026"),
        ("4/5/2026", r"4/1?[0-9]/2026"),
        ("21st of November 2026", r"[1-9][0-9]?(st|nd|rd|th) of November 2026"),
        ("Nov 3rd, 2026", r"Nov [1-9][0-9]?(st|nd|rd|th), 2026"),
        ("Saturday, 21 November", r"Saturday, (7|14|28) November"),
    ],
)
def test_a_date_moves_within_its_month_and_keeps_its_writing(value: str, pattern: str) -> None:
    moved = {made("DATE", value, attempt) for attempt in range(8)}

    assert value not in moved
    assert len(moved) > 1
    assert all(re.fullmatch(pattern, each) for each in moved)


@pytest.mark.parametrize("value", ["10.0.0.1", "10.0.0.1:80", "10.0.0.1/8", "fe80::1", "::1%eth0"])
def test_an_ip_address_is_one_for_documentation(value: str) -> None:
    address = ip_address(re.sub("(:80|/8|%eth0)$", "", made("IP", value)))

    assert any(address in ip_network(each) for each in DOCUMENTED)


@pytest.mark.parametrize("value", ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e"])
def test_a_mac_address_is_locally_administered(value: str) -> None:
    address = made("MAC", value)
    first = int(re.sub("[^0-9A-Fa-f]", "", address)[:2], 16)

    assert first & 0b11 == 0b10  # local, and of one machine
    assert re.sub("[0-9A-Fa-f]", "x", address) == re.sub("[0-9A-Fa-f]", "x", value)


@pytest.mark.parametrize(
    ("label", "value", "pattern"),
    [
        ("EMAIL", "anna@x.de", r"person[0-9]+@example\.org"),
        ("URL", "https://x.de/anna?id=7", r"https://site[0-9]+\.example\.org"),
        ("URL", "www.x.de", r"site[0-9]+\.example\.org"),
        ("PERSON", "ANNA BERG", r"[A-Z]+ [A-Z]+"),
        ("PERSON", "anna k. berg", r"[a-z]+ [a-z]\. [a-z]+"),
        ("PERSON", "Berg, Anna", r"[A-Z][a-z]+, [A-Z][a-z]+"),
        ("LOCATION", "Paris", r"[A-Z][a-z]+"),
        ("ORG", "Siemens AG", r"[A-Z][a-z]+ [A-Z][a-z]+"),
        ("ADDRESS", "Hauptstr. 123", r"[1-9][0-9]{2} [A-Z][a-z]+ [A-Z][a-z]+"),
        ("GPS", "52.5200, 113.4050", r"[1-5][0-9]\.[0-9]{4}, 1[0-7][0-9]\.[0-9]{4}"),
        ("PLATE", "B-XY 123", r"[A-Z]-[A-Z]{2} [1-9][0-9]{2}"),
        ("SSN", "078-05-1120", r"[0-9]{3}-[0-9]{2}-[1-9][0-9]{3}"),
        ("ICCID", "8949 0200 0000 1234 563", r"[1-9][0-9]{3} [0-9]{4} [0-9]{4} [0-9 ]+"),
    ],
)
def test_a_stand_in_is_written_as_its_original_is(label: str, value: str, pattern: str) -> None:
    assert re.fullmatch(pattern, made(label, value))


def test_an_imeis_check_digit_is_right_if_it_was() -> None:
    assert luhn.is_valid(made("IMEI", "490154203237518"))


@pytest.mark.parametrize(
    ("label", "value"),
    [("AGE", "34"), ("TITLE", "Dr."), ("DATE", "May 2026"), ("CARD", "1234"), ("IP", "x"),
     ("PLATE", "A1"), ("MAC", "00:1a"), ("IBAN", "DE"), ("DATE", "\u0661.\u0662.2026")],
)  # fmt: skip
def test_what_has_no_such_form_or_is_too_short_has_none(label: str, value: str) -> None:
    assert surrogate(label, value, key=KEY, attempt=0) is None


def test_another_key_or_attempt_makes_another_one() -> None:
    value = "DE89370400440532013000"
    by_key = {surrogate("IBAN", value, key=bytes([number]), attempt=0) for number in range(9)}
    by_attempt = {surrogate("IBAN", value, key=KEY, attempt=number) for number in range(9)}

    assert (len(by_key), len(by_attempt)) == (9, 9)


def test_a_surrogate_is_restored_as_a_word_in_whatever_case() -> None:
    result = masked("mail anna@x.org from 10.0.0.1")
    mail, address = result.vault.originals

    answer = f"To {mail.upper()}, x{mail}, {mail}x, ({address}): {mail}'s."

    restored = restore(answer, result.vault)
    assert restored.text == f"To anna@x.org, x{mail}, {mail}x, (10.0.0.1): anna@x.org's."
    assert restored.restored == 3


def test_a_value_keeps_its_surrogate_in_a_conversation() -> None:
    first = masked("mail anna@x.org")
    second = masked("anna@x.org and bob@x.org", first.past)

    [mail] = first.vault.originals
    assert text_of(second).startswith(f"{mail} and person")
    assert len(second.vault.originals) == 2


def test_no_surrogate_is_what_the_text_holds_or_somebodys_value() -> None:
    [mail] = masked("mail anna@x.org").vault.originals

    for beside in (f"mail anna@x.org, not {mail}", f"mail anna@x.org, not {mail.upper()} "):
        result = masked(beside)
        assert restore(text_of(result), result.vault).text == beside
        assert mail not in result.vault.originals


def test_what_is_glued_to_a_word_becomes_a_placeholder_and_the_answer_says_so() -> None:
    glued = Span(1, 11, "EMAIL")

    result = mask(Clean(Text("xanna@x.org")), RULES, lambda _: [glued], Past(key=KEY))

    assert text_of(result) == "x<EMAIL_1>"
    assert result.flags == ("placeholders instead of surrogates: 1",)


def test_a_conversation_that_changes_its_style_keeps_what_it_gave() -> None:
    first = mask(Clean(Text("anna@x.org")), MaskRules(), find, Past(key=KEY))
    second = masked("anna@x.org bob@x.org", first.past)
    third = mask(Clean(Text("anna@x.org bob@x.org")), MaskRules(), find, second.past)

    assert text_of(second).startswith("<EMAIL_1> person")
    assert text_of(third) == "<EMAIL_1> <EMAIL_2>"
    assert restore(text_of(second), third.vault).text == "anna@x.org bob@x.org"
