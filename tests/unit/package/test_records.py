"""Records: order, categories, and a clear word for every field that does not fit."""

import math

import numpy as np
import pytest

from broker.package.errors import InputMismatchError
from broker.package.inputs import RecordInput
from broker.package.records import record_numbers
from broker.wire.payload import Record

WANTED = RecordInput(("cycle", "T50"), (("trend", ("falling", "steady", "rising")),))
GOOD: dict[str, float | str] = {"T50": 1402.5, "trend": "rising", "cycle": 7.0}


def test_numbers_come_first_in_the_order_of_the_package_then_categories() -> None:
    numbers = record_numbers(Record(GOOD), WANTED)

    np.testing.assert_array_equal(numbers, np.array([[7.0, 1402.5, 2.0]], dtype=np.float32))


MISMATCHES: dict[str, tuple[dict[str, float | str], str]] = {
    "a missing field": ({"T50": 1.0, "trend": "steady"}, "no field 'cycle'"),
    "an unknown field": ({**GOOD, "pilot": "x"}, "knows no field 'pilot'; drop it"),
    "a string for a number": ({**GOOD, "T50": "hot"}, "T50 is a string; the model takes a number"),
    "a number for a string": ({**GOOD, "trend": 1.0}, "trend is a number; the model takes a str"),
    "too large": ({**GOOD, "T50": -3.5e38}, "T50 is too large for the model"),
    "no finite number": ({**GOOD, "T50": math.nan}, "T50 is not a finite number"),
    "another category": ({**GOOD, "trend": "up"}, "trend must be one of falling, steady, rising"),
}


@pytest.mark.parametrize(("fields", "message"), MISMATCHES.values(), ids=MISMATCHES.keys())
def test_a_field_that_does_not_fit_is_named(fields: dict[str, float | str], message: str) -> None:
    with pytest.raises(InputMismatchError, match=message):
        record_numbers(Record(fields), WANTED)


def test_a_refused_category_is_not_repeated() -> None:
    with pytest.raises(InputMismatchError) as caught:
        record_numbers(Record({**GOOD, "trend": "Jane Doe"}), WANTED)

    assert "Jane" not in str(caught.value)
