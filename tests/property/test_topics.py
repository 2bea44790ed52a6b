"""Topics: parsing undoes building, and nothing else parses."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.wire import topics
from broker.wire.errors import TopicError
from broker.wire.topics import DeviceId, FleetId, PoolId, Route, WorkerId, is_name

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True)
# What MQTT gives a meaning to (MQTT 5.0, section 4.7), and what looks like a name but is none.
BAD_NAMES = st.sampled_from(
    ["", "+", "#", "a/b", "$share", "-a", "A", "a b", "a\n", "a\0", "é", "a" * 65, "\uff41", "a_b"]
)


@given(NAMES, NAMES, NAMES)
def test_parsing_a_question_topic_undoes_building_it(fleet: str, pool: str, device: str) -> None:
    route = Route(FleetId(fleet), PoolId(pool), DeviceId(device))

    assert Route.parse(route.ask) == route


@given(NAMES, NAMES, NAMES)
def test_a_presence_topic_is_of_its_own_pool_only(fleet: str, pool: str, worker: str) -> None:
    topic = topics.worker_presence(FleetId(fleet), PoolId(pool), WorkerId(worker))
    device = DeviceId("board-1")

    assert topics.is_worker_of(Route(FleetId(fleet), PoolId(pool), device), topic)
    assert not topics.is_worker_of(Route(FleetId(f"{fleet}-"), PoolId(pool), device), topic)
    assert not topics.is_worker_of(Route(FleetId(fleet), PoolId(f"{pool}-"), device), topic)


@given(st.text())
def test_noise_is_no_topic(text: str) -> None:
    with suppress(TopicError):
        assert Route.parse(text).ask == text
    assert not topics.is_worker_of(Route(FleetId("f"), PoolId("p"), DeviceId("d")), text)


@given(NAMES, NAMES, BAD_NAMES)
def test_a_bad_name_makes_no_topic_of_ours(fleet: str, pool: str, bad: str) -> None:
    assert not is_name(bad)
    with pytest.raises(TopicError):
        Route.parse(f"fl/v1/{fleet}/ask/{pool}/{bad}")
    with pytest.raises(TopicError):
        Route.parse(f"fl/v1/{bad}/ask/{pool}/{fleet}")
    route = Route(FleetId(fleet), PoolId(pool), DeviceId("d"))
    assert not topics.is_worker_of(route, f"fl/v1/{fleet}/pool/{pool}/worker/{bad}")


@given(NAMES, NAMES, NAMES)
def test_every_topic_has_at_most_seven_slashes(fleet: str, pool: str, name: str) -> None:
    route = Route(FleetId(fleet), PoolId(pool), DeviceId(name))
    worker = topics.worker_presence(FleetId(fleet), PoolId(pool), WorkerId(name))

    made = [
        route.ask,
        route.answer,
        topics.device_state(route.fleet, route.device),
        topics.pool_keys(route.fleet, route.pool),
        worker,
    ]

    assert max(topic.count("/") for topic in made) <= 7


@given(NAMES, NAMES, NAMES, NAMES)
def test_no_two_kinds_of_topic_are_ever_the_same(a: str, b: str, c: str, d: str) -> None:
    route = Route(FleetId(a), PoolId(b), DeviceId(c))

    made = {
        route.ask,
        route.answer,
        topics.device_state(route.fleet, route.device),
        topics.pool_keys(route.fleet, route.pool),
        topics.worker_presence(route.fleet, route.pool, WorkerId(d)),
    }

    assert len(made) == 5


@given(NAMES, NAMES)
def test_parsing_a_request_for_new_keys_undoes_building_it(fleet: str, device: str) -> None:
    topic = topics.renewal_request(FleetId(fleet), DeviceId(device))

    assert topics.parse_renewal_request(topic) == device
    assert topics.parse_renewal_request(f"{topic}ed") is None
