"""Subscriptions that are made while a connection is being made."""

import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from broker.fleet.mosquitto import LOOPBACK, running_broker
from broker.wire.link import Address, Event, Message, Offline, Online, Received
from broker.wire.session import Session
from firstline.publishing import publish

pytestmark = pytest.mark.broker

WITHIN_S = 20.0
FIRST, LATE = "fl/first", "fl/late"


def heard_until(events: SimpleQueue[Event], last: str) -> list[Event]:
    """All that happens until something is heard on a topic."""
    heard: list[Event] = []
    give_up_s = time.monotonic() + WITHIN_S
    while not any(isinstance(each, Received) and each.topic == last for each in heard):
        heard.append(events.get(timeout=max(0.0, give_up_s - time.monotonic())))
    return heard


@pytest.mark.parametrize("late", [[LATE], [LATE, FIRST]])
def test_what_is_watched_while_the_broker_is_asked_for_the_rest_is_heard_too(
    tmp_path: Path, late: list[str]
) -> None:
    events: SimpleQueue[Event] = SimpleQueue()
    with running_broker(tmp_path) as broker:
        publish(LOOPBACK, broker.port, [Message(each, b"1", retain=True) for each in (FIRST, LATE)])
        address = Address(host=LOOPBACK, port=broker.port, client_id="board-1")
        session = Session(address, subscriptions=[FIRST], sink=events.put)
        _after_the_first_subscription(session, lambda: session.watch(late))
        with session:
            heard = heard_until(events, LATE)

    assert {type(each) for each in heard} <= {Online, Received}
    assert not any(isinstance(each, Offline) for each in heard)


def _after_the_first_subscription(session: Session, act: Callable[[], None]) -> None:
    """Act when the first SUBSCRIBE is on its way and its SUBACK has not come."""
    client = session._client
    subscribe = client.subscribe

    def subscribed(topics: list[tuple[str, int]]) -> object:
        client.subscribe = subscribe  # type: ignore[method-assign]
        sent = subscribe(topics)
        act()
        return sent

    client.subscribe = subscribed  # type: ignore[assignment,method-assign]
