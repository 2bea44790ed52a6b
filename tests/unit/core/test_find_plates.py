"""Licence plates, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find.look import look
from agent.core.find.plate import find_plates
from agent.core.find.trigger import find_by_words


def found(text: str) -> list[str]:
    spans = [*find_plates(text), *find_by_words(look(text))]
    assert {span.label for span in spans} <= {"PLATE"}
    return [text[start:end] for start, end in sorted({(span.start, span.end) for span in spans})]


@pytest.mark.parametrize(
    "plate", ["AB12 CDE", "AB-123-CD", "B-MW 1234", "M\u00dc-X 99", "HH-AB 123E"]
)
def test_plate_is_found_by_its_form(plate: str) -> None:
    assert found(f"a car ({plate}) stands in the yard") == [plate]


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("license plate 7ABC123", "7ABC123"),
        ("licence plate: AB12CDE", "AB12CDE"),
        ("my number plate is ab12 cde", "ab12 cde"),
        ('"plate": "KA-01-AB-1234"', "KA-01-AB-1234"),
        ("plate=ABC1234,", "ABC1234"),
        ("registration number AB12 CDE", "AB12 CDE"),
        ("vehicle reg: M123 ABC", "M123 ABC"),
        ("Kennzeichen B MW 1234", "B MW 1234"),
        ("KFZ-Kennzeichen: B-MW1234", "B-MW1234"),
        ("K\u00f6ln, Kennzeichen L\u00d6-XY 12.", "L\u00d6-XY 12"),
        ("Nummernschild: M - AB 12", "M - AB 12"),
        ("immatriculation : 1234 AB 75", "1234 AB 75"),
        ("matr\u00edcula 1234 BCD", "1234 BCD"),
        ("targa AB 123 CD", "AB 123 CD"),
        ("kenteken 12-ABC-3", "12-ABC-3"),
        ("registreringsnummer ABC 12D", "ABC 12D"),
        ("rejestracja WA 12345", "WA 12345"),
    ],
)
def test_plate_is_found_behind_its_word(text: str, plate: str) -> None:
    assert found(text) == [plate]


@pytest.mark.parametrize(
    "text",
    [
        "plate 12345",
        "plate ABCDEF",
        "a plate of 12 A",
        "registration failed: E1234",
        "registration of 2024",
        "registration ABC1234 took 2 s",
        "ISO-A 216, DIN-A 4, UTF-X 16",
        "AB12 CDEF, AB123-CD, AB-1234-CD, xAB-123-CD",
        "part 00-AB-123-CD-9",
        "R02-M1-N0-C:J12-U11",
        "T-DM 10.5, X-Y 1",
        "plated 7ABC123, template 7ABC123",
        "AB99 CDE",
    ],
)
def test_no_plate_is_found(text: str) -> None:
    assert found(text) == []
