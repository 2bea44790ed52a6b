"""A finder that fails, watched from the broker: what it could not look at never leaves."""

from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

import pytest

from agent.core.find import find
from agent.stages import Span
from broker.fleet.mosquitto import LOOPBACK, RunningBroker
from broker.wire.session import Address, Event, Received, Session
from tests.asker import Asker, Fleet
from tests.integration.running import WITHIN_S, running_agent, running_worker

pytestmark = pytest.mark.broker

BAD = "the finder cannot bear that bob@example.org"


def test_nothing_leaves_when_a_finder_fails_and_the_next_question_does(
    broker: RunningBroker, fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    seen: SimpleQueue[Event] = SimpleQueue()
    observer = Address(host=LOOPBACK, port=broker.port, client_id="observer")
    with (
        Session(observer, subscriptions=["#"], sink=seen.put),
        running_worker(fleet, tmp_path / "claims.db", broker.port),
        running_agent(asker, tmp_path / "state", broker.port, find=_fails_at_times) as agent,
    ):
        agent.ask(BAD, identity="1")
        agent.ask("mail anna@example.org", identity="2")

        answer = agent.answer()
        refusal = agent.refusals.get(timeout=WITHIN_S)
        assert agent.silent()

    assert answer.answer == "mail anna@example.org"
    assert refusal == "Personal data could not be looked for: LookupError. Nothing left."
    assert agent.counters["finder_failures"] == agent.counters["rejected"] == 1
    assert _questions(seen) == {answer.ticket.bytes}


def _fails_at_times(text: str) -> Sequence[Span]:
    if "cannot bear" in text:
        raise LookupError(text)
    return find(text)


def _questions(seen: SimpleQueue[Event]) -> set[bytes]:
    """The tickets of all questions that the broker passed on."""
    events = [seen.get() for _ in range(seen.qsize())]
    messages = [event for event in events if isinstance(event, Received)]
    assert not any(b"example.org" in message.payload for message in messages)
    return {message.correlation for message in messages if "/ask/" in message.topic}
