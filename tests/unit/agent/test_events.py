"""The name of a question, and what every output writes."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from agent.shell.events import Arrived, delivery_json, ticket_of
from agent.stages import Delivery, Origin


def arrived(task: str = "home", source: str = "a.txt", identity: str = "1:2") -> Arrived:
    return Arrived(task, source, identity, lambda _: b"", lambda: None, lambda _: None)


OTHERS = {
    "another task": (arrived(task="car"), b"x"),
    "another name": (arrived(source="b.txt"), b"x"),
    "another file of that name": (arrived(identity="1:3"), b"x"),
    "other content": (arrived(), b"y"),
    "a boundary moved": (arrived(source="a.txt\x001:2", identity=""), b"x"),
}


def test_the_same_input_has_the_same_ticket() -> None:
    assert ticket_of(arrived(), b"x") == ticket_of(arrived(), b"x")


@pytest.mark.parametrize(("event", "data"), OTHERS.values(), ids=OTHERS)
def test_another_input_has_another_ticket(event: Arrived, data: bytes) -> None:
    assert ticket_of(event, data) != ticket_of(arrived(), b"x")


def test_an_input_without_identity_has_a_new_ticket_each_time() -> None:
    nameless = arrived(identity="")

    assert ticket_of(nameless, b"x") != ticket_of(nameless, b"x")


def test_a_ticket_is_a_uuid_of_version_8() -> None:
    ticket = ticket_of(arrived(), b"x")

    assert (ticket.version, ticket.variant) == (8, "specified in RFC 4122")


def test_an_answer_is_one_line_of_json() -> None:
    delivery = Delivery(
        ticket=UUID(int=1),
        task="home",
        source="a.txt",
        answer="zwei\nZeilen für €",
        origin=Origin.CLOUD,
        confidence=0.123456,
        model="large 1",
        elapsed_ms=20.456,
        flags=("a", "b"),
    )

    line = delivery_json(delivery)

    assert "\n" not in line
    assert "€" in line
    assert json.loads(line) == {
        "ticket": "00000000-0000-0000-0000-000000000001",
        "task": "home",
        "source": "a.txt",
        "answer": "zwei\nZeilen für €",
        "origin": "cloud",
        "confidence": 0.1235,
        "model": "large 1",
        "elapsed_ms": 20.46,
        "final": True,
        "flags": ["a", "b"],
    }
    assert json.loads(delivery_json(replace(delivery, final=False)))["final"] is False
