import pytest

from broker.package.errors import InputMismatchError
from broker.package.inputs import RecordInput
from broker.package.records import record_numbers
from broker.package.wording import is_placeholder, worded
from broker.wire.payload import Payload, Record, Text, Window
from tests.unit.package.heads import NUMBER, TEXT

CASES: dict[str, tuple[Payload, str]] = {
    "a text without placeholders": (Text("lights on"), "label"),
    "a text with two": (Text("<EMAIL_1> and <PHONE_1>"), "label <EMAIL_1> <PHONE_1>"),
    "one that stands twice": (Text("<EMAIL_1>, <EMAIL_1>"), "label <EMAIL_1>"),
    "what only looks like one": (Text("<email_1> <EMAIL> 1>"), "label"),
    "a record's pseudonym": (Record({"serial": "<SERIAL_1>", "n": 1.0}), "label <SERIAL_1>"),
    "a record's other strings": (Record({"trend": "rising"}), "label"),
    "a window": (Window(b"\0" * 4, ("<EMAIL_1>",), 1.0), "label"),
}
WANTED = RecordInput(("n",), ())


@pytest.mark.parametrize(("payload", "answer"), CASES.values(), ids=CASES)
def test_an_answer_carries_the_placeholders_of_its_question(payload: Payload, answer: str) -> None:
    assert worded("label", NUMBER, payload) == answer


def test_free_text_stands_as_it_is() -> None:
    assert worded("write to <EMAIL_1>", TEXT, Text("mail <EMAIL_1>")) == "write to <EMAIL_1>"


def test_a_pseudonym_that_the_model_does_not_know_is_passed_over() -> None:
    numbers = record_numbers(Record({"n": 2.0, "serial": "<SERIAL_1>"}), WANTED)

    assert numbers.tolist() == [[2.0]]


@pytest.mark.parametrize("value", ["plain", 3.0, "<SERIAL_1> and more"])
def test_any_other_unknown_field_is_refused(value: float | str) -> None:
    assert not is_placeholder(value)
    with pytest.raises(InputMismatchError, match="serial"):
        record_numbers(Record({"n": 2.0, "serial": value}), WANTED)
