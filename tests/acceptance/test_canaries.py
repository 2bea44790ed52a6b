"""Planted values, through the whole product: seen by nobody else, and back in the answers."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.core.find.overlap import PRECEDENCE
from tests.acceptance.canaries import (
    CANARIES,
    DROPPED,
    ORDINARY,
    PSEUDONYMIZED,
    WITHOUT,
    planted,
    seen,
)
from tests.acceptance.canary_house import CHANNEL, Trace, perform

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return perform(tmp_path_factory.mktemp("house"))


def test_what_is_hunted_through_holds_what_it_should(trace: Trace) -> None:
    names = {name.partition(" ")[0] for name in trace.files}
    sealed = [each for each in trace.traffic if b"/ask/" in each]
    saved = trace.files["broker/broker.db at the end"]

    assert {"agent.log", "worker.log", "worker/work.log", "worker/claims.db"} <= names
    assert any("outbox" in name and "while it waits" in name for name in trace.files)
    assert len(sealed) >= 3
    assert any(each.partition(b" ")[2] in saved for each in sealed)
    assert all(f"<{label}_1>" in trace.asked for label in CANARIES)


def test_every_type_that_is_found_has_its_canary() -> None:
    assert set(CANARIES) | WITHOUT == set(PRECEDENCE)


@pytest.mark.parametrize("name", planted())
def test_a_planted_value_is_seen_nowhere(trace: Trace, name: str) -> None:
    assert seen(planted()[name], trace.places) == []


@pytest.mark.parametrize("label", CANARIES)
def test_a_planted_value_comes_back_in_the_answers(trace: Trace, label: str) -> None:
    value = CANARIES[label][0]

    assert value in trace.answers["words"]
    assert value in trace.answers["columns"]


@pytest.mark.parametrize("words", [ORDINARY, "cloud Write to"])  # of both, and of the answer alone
def test_what_is_asked_and_answered_is_read_by_the_worker_and_its_asker_alone(
    trace: Trace, words: str
) -> None:
    others = {place: held for place, held in trace.places.items() if "work.log" not in place}

    assert words in trace.answers["words"]
    assert len(others) > 10
    assert seen(words, others) == []


def test_what_a_rule_hides_comes_back_and_what_it_drops_does_not(trace: Trace) -> None:
    said = json.loads(trace.answers["columns"])

    assert PSEUDONYMIZED in said["answer"]
    assert DROPPED not in trace.answers["columns"]
    assert CHANNEL in json.loads(trace.answers["conv"])["answer"]
    assert {each["origin"] for each in map(json.loads, trace.answers.values())} == {"cloud"}


def test_the_hunt_finds_what_a_policy_lets_through(tmp_path: Path) -> None:
    trace = perform(tmp_path, 'types = { EMAIL = "keep" }')

    assert "plain in worker/work.log at the end" in seen(CANARIES["EMAIL"][0], trace.places)
    assert seen(CANARIES["PHONE"][0], trace.places) == []


HIDDEN: Mapping[str, bytes] = {
    "as it is": b"..QUILLON.varga@canary-post.example.org..",
    "base64": b'{"a":"eHh4cXVpbGxvbi52YXJnYUBjYW5hcnktcG9zdC5leGFtcGxlLm9yZw=="}',
    "hex": b"7175696c6c6f6e2e766172676140" + b"canary-post.example.org".hex().encode(),
    "URL": b"to=quillon.varga%40canary-post.example.org",
    "UTF-16": "quillon.varga@canary-post.example.org".encode("utf-16-le"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_the_hunt_knows_a_value_in_disguise(name: str) -> None:
    assert seen(CANARIES["EMAIL"][0], {"here": HIDDEN[name]})


def test_the_hunt_knows_a_number_without_its_groups() -> None:
    assert seen(CANARIES["CARD"][0], {"here": b"4539578763621486"}) == ["ungrouped in here"]
