"""What is kept of what devices and workers say of themselves, whoever they are."""

import json

import pytest

pytest.importorskip("prometheus_client")

from prometheus_client.parser import text_string_to_metric_families

from firstline.heard import Standing
from firstline.watching.metrics import FleetMetrics
from firstline.watching.states import Pool, States
from tests.unit.docs.metrics_rows import exposed, told
from tests.unit.docs.pages import README

WORKER = "fl/v1/home/pool/main/worker/1"


def state(device: str, **counters: int) -> tuple[str, bytes]:
    document = {"online": True, "version": "0.1.0", "counters": counters}
    return f"fl/v1/home/dev/{device}/state", json.dumps(document).encode()


def presence(capacity: object, load: object) -> bytes:
    return json.dumps({"online": True, "capacity": capacity, "load": load}).encode()


def test_a_device_is_what_it_said_last() -> None:
    states = States()
    states.hear(*state("a", asked=1))
    states.hear(*state("a", asked=7, escalated=2))

    assert states.devices() == [
        Standing("home", "a", online=True, version="0.1.0", counters={"asked": 7, "escalated": 2})
    ]


def test_a_device_that_vanishes_keeps_its_last_counters_and_one_that_is_gone_nothing() -> None:
    states = States()
    states.hear(*state("a", asked=7))
    states.hear(*state("b", asked=1))

    states.hear("fl/v1/home/dev/a/state", b'{"session": 1, "online": false}')  # its will
    states.hear("fl/v1/home/dev/b/state", b"")

    assert states.devices() == [
        Standing("home", "a", online=False, version="0.1.0", counters={"asked": 7})
    ]


def test_no_more_devices_are_kept_than_allowed_and_the_others_are_counted() -> None:
    states = States(most_devices=2)
    for name in ("a", "b", "c", "a", "c"):
        states.hear(*state(name))

    assert [each.device for each in states.devices()] == ["a", "b"]
    assert states.refused()["device"] == 2


def test_a_device_that_invents_counters_fills_nothing() -> None:
    states = States()
    states.hear(*state("good", asked=1))
    states.hear(*state("bad", **{f"x{number}": 1 for number in range(1000)}))
    states.hear(*state("good", asked=2, late_name=1))

    kept = {each.device: each.counters for each in states.devices()}
    assert len(kept["bad"]) == 255
    assert kept["good"] == {"asked": 2}
    assert states.refused()["counter"] == 1000 - 255 + 1


UNREADABLE = {
    "no JSON": (state("a")[0], b"{"),
    "too deep": (WORKER, b"[" * 100_000),
    "a list": (WORKER, b"[]"),
    "no number": (WORKER, presence("8", 1)),
    "a truth": (WORKER, presence(capacity=True, load=1)),
    "below zero": (WORKER, presence(8, -1)),
    "beyond belief": (WORKER, presence(10**9, 0)),
}


@pytest.mark.parametrize(("topic", "payload"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_has_another_form_is_passed_over_and_counted(topic: str, payload: bytes) -> None:
    states = States()

    states.hear(topic, payload)

    assert (states.devices(), states.pools()) == ([], {})
    assert states.refused()["unreadable"] == 1


def test_the_workers_of_a_pool_count_together_as_long_as_they_are_there() -> None:
    states = States()
    states.hear(WORKER, presence(65, 3))
    states.hear("fl/v1/home/pool/main/worker/2", presence(10, 1))
    states.hear("fl/v1/home/pool/other/worker/1", presence(1, 0))
    both = states.pools()
    states.hear(WORKER, b"")

    assert both == {("home", "main"): Pool(2, 75, 4), ("home", "other"): Pool(1, 1, 0)}
    assert states.pools()["home", "main"] == Pool(1, 10, 1)


def test_another_topic_is_nobodys() -> None:
    states = States()

    states.hear("fl/v1/home/dev/a/answer", b"{}")

    assert states.devices() == []
    assert not any(states.refused().values())


def test_every_metric_of_a_fleet_is_in_the_readme_with_its_type_and_its_labels() -> None:
    states = States()
    states.hear(*state("a", asked=1))
    states.hear(WORKER, presence(1, 1))

    page = FleetMetrics(states, lambda: True).page().decode()

    assert told(README, "### Watching a fleet") == exposed(page)
    values = {s.name: s.value for f in text_string_to_metric_families(page) for s in f.samples}
    assert values["firstline_device_events_total"] == 1
    assert values["firstline_fleet_broker_up"] == 1
