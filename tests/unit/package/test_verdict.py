"""When an answer counts as right."""

import pytest

from broker.package.errors import InputMismatchError
from broker.package.heads import Head
from broker.package.verdict import is_right
from tests.unit.package.heads import LABEL, NUMBER, TEXT

CASES = [
    (LABEL, "on", "on", True),
    (LABEL, "on", "On", False),
    (NUMBER, "20.5", "20", True),
    (NUMBER, "20.51", "20", False),
    (NUMBER, "20", "20.50", True),
    (TEXT, '{"a": 1, "b": [2]}', '{"b":[2],"a":1.0}', True),
    (TEXT, '{"b": [2, 1]}', '{"b": [1, 2]}', False),
    (TEXT, '{"intent": "play", "slots": {}}', '{"intent": "play"}', True),
    (TEXT, '{"intent": "play"}', '{"intent": "play", "slots": {}}', False),
    (TEXT, '{"intent": "stop", "slots": {}}', '{"intent": "play"}', False),
    (TEXT, " yes\n", "yes", True),
    (TEXT, "yes", "Yes", False),
]


@pytest.mark.parametrize(("head", "answer", "label", "right"), CASES)
def test_an_answer_is_right_or_not(head: Head, answer: str, label: str, *, right: bool) -> None:
    assert is_right(head, answer, label) is right


@pytest.mark.parametrize("label", ["warm", "nan", "inf", ""])
def test_the_label_of_a_number_is_a_number(label: str) -> None:
    with pytest.raises(InputMismatchError, match="must be a finite number"):
        is_right(NUMBER, "20", label)
