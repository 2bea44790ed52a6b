"""National ids, driver licences and ages, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find import find


def found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("125-17-4954", "125-17-4954"),
        ("912-70-1234", "912-70-1234"),  # an ITIN stands in for one
        ("SSN: 125 17 4954", "125 17 4954"),
        ("SSN 853371694", "853371694"),
        ("my social security number is 853371694.", "853371694"),
    ],
)
def test_ssn_is_found(text: str, number: str) -> None:
    assert found(text) == [("SSN", number)]


@pytest.mark.parametrize(
    "text", ["000-17-4954", "666-17-4954", "125-00-4954", "125-17-0000", "1-125-17-4954"]
)
def test_no_ssn_is_found(text: str) -> None:
    assert not any(label == "SSN" for label, _ in found(text))


FORMS = [
    "123.456.789-09",  # Brazil
    "756.9217.0769.85",  # Switzerland
    "131052-308T",  # Finland
    "811228-9874",  # Sweden
    "19811228-9874",
    "710319/2745",  # Czechia
    "85.07.30-033.28",  # Belgium
    "1 84 12 76 451 089 46",  # France
    "295109912611193",
    "15108695088",  # Norway
    "RSSMRA85M01H501Q",  # Italy
    "BOXW310820HNERXN09",  # Mexico
    "AB 12 34 56 C",  # United Kingdom
    "X-2482300W",  # Spain
]


@pytest.mark.parametrize("number", FORMS)
def test_id_that_stands_for_itself_is_found(number: str) -> None:
    assert found(f"He wrote {number}, then left.") == [("NATIONAL_ID", number)]


@pytest.mark.parametrize("number", [n for n in FORMS if n != "AB 12 34 56 C"])
def test_id_with_a_wrong_check_is_no_id(number: str) -> None:
    last = number[-1]
    wrong = chr((ord(last) - 64) % 26 + 65) if last.isalpha() else str((int(last) + 1) % 10)

    assert ("NATIONAL_ID", number[:-1] + wrong) not in found(f"He wrote {number[:-1]}{wrong}.")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("CPF: 11144477735", "11144477735"),
        ("NINO: AB123456C", "AB123456C"),
        ("DNI: 54362315K", "54362315K"),
        ("passport no: X12345678", "X12345678"),
        ("Steuer-ID 36 574 261 809", "36 574 261 809"),
        ("BSN 111222333", "111222333"),
        ("pesel 44051401359", "44051401359"),
        ("tax id 12-3456789", "12-3456789"),
        ("National ID 1234567890", "1234567890"),
    ],
)
def test_id_behind_its_word_is_found(text: str, number: str) -> None:
    assert found(text) == [("NATIONAL_ID", number)]


@pytest.mark.parametrize("text", ["id: 4711", "the state of 36 574 homes", "44051401359 bytes"])
def test_no_id_is_found(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("my driver's license number is 2270-66-1551", "2270-66-1551"),
        ("driver's licence F162823540116.", "F162823540116"),
        ("DL: 5130634", "5130634"),
        ("license no. A1234567 and 5", "A1234567"),
        ("Driver License D123-456-78-901-2 ok", "D123-456-78-901-2"),
        ("Führerschein B072RRE2I55", "B072RRE2I55"),
    ],
)
def test_driver_licence_is_found(text: str, number: str) -> None:
    assert found(text) == [("DRIVER_LICENSE", number)]


@pytest.mark.parametrize("text", ["public license policy H1 D3 A1", "Apache License 2.0", "GPL-3"])
def test_no_driver_licence_is_found(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("This 79 year old female", "79"),
        ("a 5-year-old boy", "5"),
        ("i'm 31 y/o.", "31"),
        ("Patient, 45yo male", "45"),
        ("My brother just turned 60", "60"),
        ("when he was 78.", "78"),
        ("I am 25", "25"),
        ("aged 5", "5"),
        ("age: 33", "33"),
        ('{"age": 42}', "42"),
    ],
)
def test_age_is_its_number_alone(text: str, age: str) -> None:
    assert found(text) == [("AGE", age)]


@pytest.mark.parametrize(
    "text",
    [
        "turn it 30 degrees",
        "set it to 60",
        "he is 25 km away",
        "a 3 year contract",
        "page 33, stage 5",
        "the average is 31",
        "he was 130.",
    ],
)
def test_no_age_is_found(text: str) -> None:
    assert found(text) == []
