"""A thousand lines as machines write them: addresses are found, numbers are left alone."""

import pytest

from agent.core.find import find
from agent.stages import Span
from tests.logs import Line, machine_lines, one_text

COUNT = 1000
PHONES_PER_1000 = 10
IDS_PER_1000 = 20  # CARD, SSN and the like: numbers that pass a check by chance
IDS = ("CARD", "IBAN", "SSN", "NATIONAL_ID", "DRIVER_LICENSE", "MRN", "PLATE", "IMEI", "CRYPTO")
THINGS_PER_1000 = 10
THINGS = (
    *("SECRET", "CRYPTO", "GPS", "PLATE", "MRN", "IMEI", "ICCID", "VIN", "SERIAL", "ADDRESS"),
    "POSTCODE",
)


@pytest.fixture(scope="module", name="lines")
def made_lines() -> list[Line]:
    return machine_lines(COUNT)


@pytest.fixture(scope="module", name="found")
def found_spans(lines: list[Line]) -> list[tuple[Span, ...]]:
    return [find(line.text) for line in lines]


def test_the_lines_are_the_same_each_time_and_hold_addresses(lines: list[Line]) -> None:
    assert machine_lines(COUNT) == lines
    assert machine_lines(COUNT, seed=2) != lines
    assert sum(len(line.addresses) for line in lines) > COUNT / 2
    assert len({line.text for line in lines}) == COUNT


def test_hardly_a_number_is_taken_for_a_phone(found: list[tuple[Span, ...]]) -> None:
    assert count(found, ("PHONE",)) <= PHONES_PER_1000


def test_hardly_a_number_is_taken_for_an_id(found: list[tuple[Span, ...]]) -> None:
    assert count(found, IDS) <= IDS_PER_1000


def test_hardly_anything_is_taken_for_a_secret_a_device_or_a_place(
    found: list[tuple[Span, ...]],
) -> None:
    assert count(found, THINGS) <= THINGS_PER_1000


def count(found: list[tuple[Span, ...]], labels: tuple[str, ...]) -> int:
    return sum(span.label in labels for spans in found for span in spans)


def test_every_ipv4_address_is_found(lines: list[Line], found: list[tuple[Span, ...]]) -> None:
    missed = [
        line.text
        for line, spans in zip(lines, found, strict=True)
        for start, end in line.addresses
        if not any(span.start <= start and end <= span.end for span in spans)
    ]

    assert missed == []


def test_every_ipv4_address_is_found_in_one_long_text(lines: list[Line]) -> None:
    spans = find(one_text(lines))

    covered = {place for span in spans for place in range(span.start, span.end)}
    start = 0
    for line in lines:
        for first, last in line.addresses:
            assert covered.issuperset(range(start + first, start + last)), line.text
        start += len(line.text) + 1
