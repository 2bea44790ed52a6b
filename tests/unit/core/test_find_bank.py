# ruff: noqa: RUF001 - look-alike characters are what some rows are about
"""Cards and IBANs, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find import find
from agent.core.find.bank import luhn, mod_97

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"


def found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        "4111111111111111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111 - 1111 - 1111 - 1111",
        "4111\n1111\r\n1111\t1111",
        "4111\u00a01111\u20111111–1111",
        "４１１１ 1111 1111 1111",
        "3782 822463 10005",
        "378282246310005",
        "30569309025904",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "501800000009",  # Maestro: 12 digits
        "6011000000000000001",
        "135412345678911",
    ],
)
def test_card_is_found(card: str) -> None:
    assert found(card) == [("CARD", card)]
    assert found(f"card: {card}, thanks.") == [("CARD", card)]


@pytest.mark.parametrize(
    ("text", "card"),
    [
        (f"12 {CARD}", CARD),
        (f"{CARD} 12/27", CARD),
        ("4111111111111111.0", "4111111111111111"),
        ("CARD4111111111111111END", "4111111111111111"),
        ("1,4111111111111111,2", "4111111111111111"),
        (f"1000 2.5 1010 1020 1030 1040 1050 1060 {CARD}", CARD),
    ],
)
def test_card_beside_other_things_is_found(text: str, card: str) -> None:
    assert found(text) == [("CARD", card)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "0.4111111111111111",
        "0000 0000 0000 0000",
        "1700000000000",  # a Unix time in ms
        "20261120123009",  # a time that passes the check
        "550e8400-e29b-41d4-a716-501800000009",
        "SN501800000009",
        "41111111111111111111",
        "4111 11 11 1111 1111 11",
    ],
)
def test_no_card_is_found(text: str) -> None:
    assert found(text) == []


def test_long_list_of_sensor_values_outside_of_card_networks_is_no_card() -> None:
    values = [str(2800 + step) for step in range(200)]

    assert found(" ".join(values)) == []


def test_chance_match_before_a_card_does_not_save_its_last_digits() -> None:
    text = "3018 4111 1111 1111 1111"  # the first four groups pass the check as well

    assert luhn("3018411111111111")
    assert found(text) == [("CARD", text)]


@pytest.mark.parametrize(
    "iban",
    [
        IBAN,
        "DE89370400440532013000",
        "de89 3704 0044 0532 0130 00",
        "DE89-3704-0044-0532-0130-00",
        "GB29 NWBK 6016 1331 9268 19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NO93 8601 1117 947",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        "DE89 3704\n0044 0532\n0130 00",
    ],
)
def test_iban_is_found(iban: str) -> None:
    assert found(iban) == [("IBAN", iban)]
    assert found(f"to {iban} by then") == [("IBAN", iban)]
    assert found(f"IBAN{iban}") == [("IBAN", iban)]


@pytest.mark.parametrize(
    "text",
    [
        "DE89370400440532013001",  # the check fails
        "DE8937040044053201300",  # too short
        "DE893704004405320130001",  # too long
        "XX89370400440532013000",
        "ADE89370400440532013000",
        "in 12 people were at 34 places",
    ],
)
def test_no_iban_is_found(text: str) -> None:
    assert found(text) == []


def test_checks_agree_with_published_examples() -> None:
    assert luhn("79927398713")  # ISO/IEC 7812-1
    assert not luhn("79927398710")
    assert mod_97("GB82WEST12345698765432")  # ISO 13616
    assert not mod_97("GB82WEST12345698765433")
