"""Postcodes, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find.look import look
from agent.core.find.postcode import find_postcodes
from agent.core.find.trigger import find_by_words


def found(text: str) -> list[str]:
    spans = [*find_postcodes(text), *find_by_words(look(text))]
    assert {span.label for span in spans} <= {"POSTCODE"}
    return [text[start:end] for start, end in sorted({(span.start, span.end) for span in spans})]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("London SW1A 1AA", "SW1A 1AA"),
        ("M1 1AE.", "M1 1AE"),
        ("Ottawa, ON K1A 0B1", "K1A 0B1"),
        ("D-10115 Berlin", "D-10115"),
        ("CH-8001 Z\u00fcrich", "CH-8001"),
        ("PL-00-950 Warszawa", "PL-00-950"),
        ("CZ-110 00 Praha", "CZ-110 00"),
        ("Beverly Hills, CA 90210", "90210"),
        ("Denver CO, 80202; Denver, CO 80202-1234", "80202-1234"),
        ("Boise, ID 83702", "83702"),
        ("1012 AB Amsterdam", "1012 AB"),
    ],
)
def test_postcode_is_found_by_its_form_or_place(text: str, code: str) -> None:
    assert found(text) == [code]


@pytest.mark.parametrize(
    "code",
    [
        *("3520", "48750", "394 13", "7412 SL", "7412SL", "90210-1234", "SW1A1AA", "sw1a 1aa"),
        *(
            "K1A0B1",
            "00-950",
            "1234-567",
            "123-4567",
            "12345-678",
            "A65 F4E2",
            "C1425DKF",
            "LV-1010",
        ),
        *("110001", "VLT 1117"),
    ],
)
def test_postcode_is_found_behind_its_word(code: str) -> None:
    assert found(f"ZIP: {code}") == [code]
    assert found(f'"postal_code": "{code}", "x"') == [code]
    assert found(f"PLZ={code}\n") == [code]


@pytest.mark.parametrize(
    "word", ["zip code", "postcode", "code postal", "Postleitzahl", "CP:", "CAP ="]
)
def test_every_word_for_a_postcode_counts(word: str) -> None:
    assert found(f"{word} 75001 is it") == ["75001"]


@pytest.mark.parametrize(
    "text",
    [
        "10115 Berlin",
        "90210",
        "status OK 20014, port IN 12345",
        "2048 KB Total, 1024 MB Memory",
        "10:1012 AB Test",
        "ZZ1A 1AA",
        "QX1 1AA",
        "xSW1A 1AA",
        "E-1001 Timeout, A-12 Foo",
        "unzip 12345, gzip 12345, zip 3.0",
        "zip 3520",
        "handicap 12345, cp 12345 and cap 12345",
        "the post 12345, exit code 12345",
        "T1 1AB0",
    ],
)
def test_no_postcode_is_found(text: str) -> None:
    assert found(text) == []
