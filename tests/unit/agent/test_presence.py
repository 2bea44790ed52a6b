"""What the fleet hears of a device."""

import json
from collections import Counter

import pytest

from agent.shell.presence import Presence
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import Message

TOPIC = "fl/v1/home/dev/board-1/state"


def presence(counters: Counter[str]) -> Presence:
    return Presence(topic=TOPIC, session=4, about={"version": "0.1.0"}, counters=counters)


class Publish:
    """A broker that takes everything."""

    def __init__(self, taken: list[Message]) -> None:
        self._taken = taken

    def __call__(self, message: Message) -> int:
        self._taken.append(message)
        return len(self._taken)


def offline(_message: Message) -> int:
    raise BrokerUnavailableError("offline")


def test_the_will_is_retained_and_of_this_session() -> None:
    will = presence(Counter()).will()

    assert will == Message(TOPIC, b'{"session": 4, "online": false}', retain=True)


def test_the_birth_tells_versions_and_counts_but_no_zeros() -> None:
    taken: list[Message] = []

    presence(Counter(asked=2, rejected=0)).announce(Publish(taken))

    [message] = taken
    assert (message.topic, message.retain) == (TOPIC, True)
    assert json.loads(message.payload) == {
        "session": 4,
        "online": True,
        "version": "0.1.0",
        "counters": {"asked": 2},
    }


def test_a_change_is_told_after_a_pause_and_once() -> None:
    counters: Counter[str] = Counter()
    taken: list[Message] = []
    state = presence(counters)
    state.announce(Publish(taken))
    counters["asked"] += 1

    state.refresh(Publish(taken))
    assert len(taken) == 1  # too soon
    state._next_s = 0.0
    state.refresh(Publish(taken))
    state._next_s = 0.0
    state.refresh(Publish(taken))  # nothing new

    assert [json.loads(message.payload)["counters"] for message in taken] == [{}, {"asked": 1}]


def test_nothing_is_told_before_the_first_birth() -> None:
    taken: list[Message] = []

    presence(Counter(asked=1)).refresh(Publish(taken))

    assert taken == []


def test_a_birth_that_did_not_go_out_is_told_again() -> None:
    state = presence(Counter())
    with pytest.raises(BrokerUnavailableError):
        state.announce(offline)
    taken: list[Message] = []

    state.announce(Publish(taken))

    assert len(taken) == 1


def test_a_state_that_somebody_else_has_told_is_counted_and_told_again() -> None:
    counters: Counter[str] = Counter()
    taken: list[Message] = []
    state = presence(counters)
    state.announce(Publish(taken))

    state.hear(taken[0].payload)  # our own comes back
    state._settled_s = state._next_s = 0.0
    state.refresh(Publish(taken))
    assert len(taken) == 1
    state.hear(b'{"session": 4, "online": false}')
    state.refresh(Publish(taken))
    state._next_s = 0.0
    state.refresh(Publish(taken))

    assert [json.loads(message.payload)["counters"] for message in taken] == [
        {},
        {"states_overwritten": 1},
    ]


def test_the_last_will_that_comes_at_once_is_put_right_and_no_attack() -> None:
    counters: Counter[str] = Counter()
    taken: list[Message] = []
    state = presence(counters)
    state.announce(Publish(taken))

    state.hear(b'{"session": 3, "online": false}')
    state._next_s = 0.0
    state.refresh(Publish(taken))

    assert len(taken) == 2
    assert counters == Counter()
