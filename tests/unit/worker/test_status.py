"""What a worker says of itself, and what that means for those who ask."""

import json
from dataclasses import replace

import pytest

from cloud_worker.status import Status
from cloud_worker.vitals import GOOD, Lane, Vitals, alive, readiness

HANG_S = 30.0
LANE = Lane(model="large 1", capacity=65, waiting=0, working=0, oldest_s=None, ready=True)
WELL = Vitals(
    beat_s=100.0,
    broker=GOOD,
    stopping=False,
    keys_end_s=2000.0,
    lanes=(LANE, replace(LANE, model="small 1")),
    counters={},
)
NOW_S = 1000.0  # Unix time
UNWELL = {
    "the loop hangs": (replace(WELL, beat_s=69.0), "loop", "silent for 31 s"),
    "no broker": (replace(WELL, broker="the connection ended"), "broker", "the connection ended"),
    "a model is away": (
        replace(WELL, lanes=(LANE, replace(LANE, model="far 1", ready=False))),
        "models",
        "away: far 1",
    ),
    "keys are over": (replace(WELL, keys_end_s=NOW_S), "keys", "no key that a device can seal to"),
    "it stops": (replace(WELL, stopping=True), "intake", "the worker stops"),
}


def states(vitals: Vitals) -> dict[str, str]:
    checks = readiness(vitals, steady_s=100.0, now_s=NOW_S, hang_s=HANG_S)
    return {check.name: check.state for check in checks}


def test_a_worker_that_is_well_passes_every_check() -> None:
    assert states(WELL) == dict.fromkeys(("loop", "broker", "models", "keys", "intake"), GOOD)


@pytest.mark.parametrize(("vitals", "name", "state"), UNWELL.values(), ids=UNWELL)
def test_each_trouble_is_one_failed_check(vitals: Vitals, name: str, state: str) -> None:
    assert states(vitals) == states(WELL) | {name: state}


@pytest.mark.parametrize(
    ("steady_s", "state"), [(100.0, GOOD), (130.0, GOOD), (131.0, "silent for 31 s")]
)
def test_a_loop_is_alive_as_long_as_it_said_something_lately(steady_s: float, state: str) -> None:
    assert alive(WELL, steady_s=steady_s, hang_s=HANG_S).state == state


def test_only_a_hanging_loop_is_a_reason_to_start_anew() -> None:
    without_broker = replace(WELL, beat_s=float("inf"), broker="gone")
    pages = Status(lambda: without_broker, hang_s=HANG_S, now_s=lambda: NOW_S).pages()

    health, ready = pages["/healthz"](), pages["/readyz"]()

    assert (health.status, json.loads(health.body)) == (200, {"ok": True, "checks": {"loop": GOOD}})
    assert (ready.status, json.loads(ready.body)["checks"]["broker"]) == (503, "gone")
