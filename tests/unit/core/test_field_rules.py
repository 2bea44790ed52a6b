"""What becomes of a record's fields: by their names, and by what they hold."""

import re
from collections.abc import Sequence

import pytest

from agent.core.fields import FieldRules, type_of
from agent.core.find import find
from agent.core.mask import MaskResult, mask
from agent.core.phrases import phrases
from agent.core.policy import Fate, FieldRule, MaskRules
from agent.stages import Clean, Span
from broker.wire.payload import Record
from firstline.naming import shipped_finder

KEEP, DROP = FieldRule.KEEP, FieldRule.DROP
GENERALIZE, PSEUDONYMIZE = FieldRule.GENERALIZE, FieldRule.PSEUDONYMIZE


def masked(fields: dict[str, float | str], rule: FieldRule) -> MaskResult:
    return mask(Clean(Record(fields)), MaskRules(default=rule), find)


def fields_of(result: MaskResult) -> dict[str, float | str]:
    assert isinstance(result.masked.payload, Record)
    return dict(result.masked.payload.fields)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("speed", KEEP),
        ("SPEED", KEEP),
        ("work_email", DROP),
        ("Work_EMAIL", DROP),
        ("patient.name", PSEUDONYMIZE),
        ("patient.age", GENERALIZE),
        ("patient.address.0.street", PSEUDONYMIZE),
        ("patients", DROP),
        ("speed_email", DROP),
        ("log.speed", DROP),
        ("home.x.secret", DROP),
        ("home.x.open", KEEP),
        ("email", DROP),
    ],
)
def test_a_rule_is_found_by_name_pattern_and_what_the_field_lies_in(
    name: str, rule: FieldRule
) -> None:
    rules = MaskRules(
        {
            "speed": KEEP,
            "speed*": KEEP,
            "*_email": DROP,
            "patient": PSEUDONYMIZE,
            "Patient.Age": GENERALIZE,
            "home.*": KEEP,
            "*.secret": DROP,
        }
    )

    assert FieldRules(rules).of(name) is rule


def test_a_written_name_counts_before_a_pattern() -> None:
    rules = MaskRules({"*_email": DROP, "work_email": KEEP})

    assert FieldRules(rules).of("work_email") is KEEP


def test_a_dot_and_a_bracket_in_a_pattern_are_themselves() -> None:
    assert FieldRules(MaskRules({"a.[b]*": KEEP})).of("a.[b]c") is KEEP
    assert FieldRules(MaskRules({"a.b*": KEEP})).of("axbc") is DROP


@pytest.mark.parametrize(
    ("name", "value", "coarser"),
    [
        ("age", 43.0, 40.0),
        ("age", 97.0, 90.0),
        ("age", 105.0, 90.0),
        ("patient.age", "43", "40-49"),
        ("home.lat", 52.5163, 52.5),
        ("longitude", "13.3777", "13.4"),
        ("zip", "90210", "902**"),
        ("date_of_birth", "1980-03-12", "1980-03"),
        ("client_ip", "192.0.2.7", "192.0.2.0/24"),
        ("address", "192.0.2.7", "192.0.2.0/24"),
        ("power_w", 1234.0, 1000.0),
    ],
)
def test_a_field_is_made_coarser_by_its_name_or_by_what_it_holds(
    name: str, value: float | str, coarser: float | str
) -> None:
    result = masked({name: value}, GENERALIZE)

    assert fields_of(result) == {name: coarser}
    assert result.vault.originals == {}
    assert [masking.fate for masking in result.maskings] == [Fate.GENERALIZED]


@pytest.mark.parametrize("value", ["Anna", "at 192.0.2.7", "43 or 44", ""])
def test_a_field_that_cannot_be_made_coarser_is_hidden(value: str) -> None:
    result = masked({"age": value}, GENERALIZE)

    assert fields_of(result) == {"age": "<AGE_1>"}
    assert result.vault.originals == {"<AGE_1>": value}


def test_a_kept_field_is_looked_at_behind_its_name() -> None:
    def behind_a_word(text: str) -> list[Span]:
        return [Span(m.start(1), m.end(), "PLATE") for m in re.finditer(r"car plate: (\w+)", text)]

    fields: dict[str, float | str] = {"car.plate": "BMW1234", "mode": "BMW1234"}
    result = mask(Clean(Record(fields)), MaskRules(default=KEEP), behind_a_word)

    assert result.masked.payload == Record({"car.plate": "<PLATE_1>", "mode": "BMW1234"})
    assert result.vault.originals == {"<PLATE_1>": "BMW1234"}


def test_a_span_that_begins_in_the_name_covers_the_value_only() -> None:
    def whole(text: str) -> list[Span]:
        return [Span(0, len(text), "ALL")] if ":" in text else []

    result = mask(Clean(Record({"a": "xyz"})), MaskRules(default=KEEP), whole)

    assert result.masked.payload == Record({"a": "<ALL_1>"})
    assert result.vault.originals == {"<ALL_1>": "xyz"}


def test_a_card_written_as_a_number_does_not_leave() -> None:
    numbers: dict[str, float | str] = {"card": 4111111111111111.0, "rpm": 1500.0, "t": 1.5e-300}
    result = masked(numbers, KEEP)

    assert fields_of(result) == {"card": "<CARD_1>", "rpm": 1500.0, "t": 1.5e-300}
    assert result.vault.originals == {"<CARD_1>": "4111111111111111"}


def test_a_denied_number_does_not_leave() -> None:
    rules = MaskRules(default=KEEP, deny=phrases(["4711"]))
    fields: dict[str, float | str] = {"customer": 4711.0, "rpm": 47110.0}

    assert mask(Clean(Record(fields)), rules, find).masked.payload == Record(
        {"customer": "<DENIED_1>", "rpm": 47110.0}
    )


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("a.b.c", KEEP),
        ("a.xx.b.yy.c", KEEP),
        ("a.c.b", DROP),
        ("ab.c", DROP),
        ("a.b", DROP),
        ("xa.b.c", DROP),
        ("a.b.c.d", KEEP),
    ],
)
def test_a_pattern_may_have_several_stars(name: str, rule: FieldRule) -> None:
    assert FieldRules(MaskRules({"a*.b*.c": KEEP})).of(name) is rule


def test_a_pattern_of_one_piece_does_not_fit_twice_over() -> None:
    assert FieldRules(MaskRules({"aba*aba": KEEP})).of("ababa") is DROP


@pytest.mark.parametrize(
    ("name", "label"),
    [("age", "AGE"), ("homeLat", ""), ("home_lat", "GPS"), ("date.zip", "POSTCODE"), ("a.b", "")],
)
def test_a_name_may_tell_the_type(name: str, label: str) -> None:
    assert type_of(name) == label


def test_a_path_is_no_host_but_an_address_in_a_name_is_personal() -> None:
    result = masked({"car.owner.name": 1.0, "https://example.org/bob": 2.0, "a@b.com": 3.0}, KEEP)

    assert fields_of(result) == {"car.owner.name": 1.0, "<URL_1>": 2.0, "<EMAIL_1>": 3.0}


def test_a_name_that_the_operator_or_the_model_gave_is_nobodys() -> None:
    def find_more(text: str) -> Sequence[Span]:
        return [
            *find(text),
            *(Span(*each.span(), "PERSON", 1.0, "words") for each in re.finditer("falcon", text)),
        ]

    fields: dict[str, float | str] = {"10.0.0.1": 1.0, "falcon": 2.0, "old falcon": 3.0}
    rules = MaskRules(default=KEEP, names=frozenset(("10.0.0.1", "falcon")))

    assert mask(Clean(Record(fields)), rules, find_more).masked.payload == Record(
        {"<IP_1>": 1.0, "falcon": 2.0, "old <PERSON_1>": 3.0}
    )


@pytest.mark.parametrize(
    ("name", "masked_as"),
    [
        ("vin", "vin"),
        ("lane", "lane"),
        ("yaw", "yaw"),
        ("coolant_temp", "coolant_temp"),
        ("living.room", "living.room"),
        ("maria", "<PERSON_1>"),
        ("patients.Maria Lopez.pulse", "patients.<PERSON_1>.pulse"),
        ("john_heart_rate", "<PERSON_1>_heart_rate"),
        ("pulse of Anna Kowalska", "pulse of <PERSON_1>"),
        ("a@b.example.org", "<EMAIL_1>"),
        ("anna.kowalska@b.example.org", "<EMAIL_1>"),
    ],
)
def test_a_name_is_masked_where_it_surely_names_somebody(name: str, masked_as: str) -> None:
    rules = MaskRules(default=KEEP)

    result = mask(Clean(Record({name: 1.0})), rules, shipped_finder())

    assert list(fields_of(result)) == [masked_as]


def test_the_deny_list_holds_for_a_name_that_the_model_gave() -> None:
    fields: dict[str, float | str] = {"blue falcon": 3.0}
    rules = MaskRules(default=KEEP, names=frozenset(("blue falcon",)), deny=phrases(["falcon"]))

    assert mask(Clean(Record(fields)), rules, find).masked.payload == Record(
        {"blue <DENIED_1>": 3.0}
    )
