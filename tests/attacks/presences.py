"""Attacks on what is signed by nobody: presences, wills, counters. Nothing may rest on them."""

import json
import time
from functools import partial

from broker.wire import topics
from broker.wire.topics import WorkerId
from firstline.heard import listen
from tests.attacks.actors import Asked
from tests.attacks.attack import Attack
from tests.attacks.hostile import honest
from tests.attacks.mqtt5 import Publish
from tests.attacks.stage import BOARD, SETTLED_S, Stage, until
from tests.attacks.tampering import lost, on_questions

_TIMES = 300
_BROKEN = {
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe",
    "deeply nested": b"[" * 100_000,
    "no object": b"1",
    "without its key": b"{}",
}


def _presence(stage: Stage, worker: str) -> str:
    route = stage.device.asker.route
    return topics.worker_presence(route.fleet, route.pool, WorkerId(worker))


def _said(stage: Stage, topic: str, payload: bytes) -> list[Asked]:
    """Tell the device something; then it asks, and is answered."""
    stage.proxy.link(BOARD).give(Publish(topic.encode(), payload, flags=0x03))
    asked = stage.ask()
    stage.delivered(asked)
    return [asked]


def _broken(payload: bytes, stage: Stage) -> list[Asked]:
    return _said(stage, _presence(stage, "worker-evil"), payload)


def _a_topic_of_nobody(topic: str, stage: Stage) -> list[Asked]:
    return _said(stage, topic, b'{"online": true}')


def _invented(stage: Stage) -> list[Asked]:
    """Two thousand workers that there are not."""
    link = stage.proxy.link(BOARD)
    for number in range(2_000):
        topic = _presence(stage, f"worker-{number}").encode()
        link.give(Publish(topic, b'{"online": true}'))
    asked = stage.ask()
    stage.delivered(asked)
    stage.reconnect()
    return [asked]


def _flapping(stage: Stage) -> list[Asked]:
    """Have the true worker go and come, so that the device asks again and again."""
    link, topic = stage.proxy.link(BOARD), _presence(stage, stage.worker_name).encode()
    stage.proxy.rule = on_questions(lost, times=float("inf"))
    asked, counters = stage.ask(), stage.device.counters
    until(lambda: counters["asked"] and counters["workers_came"])
    sent, came = counters["sends"], counters["workers_came"] + _TIMES
    for _ in range(_TIMES):
        link.give(Publish(topic, b""), Publish(topic, b'{"online": true}'))
    until(lambda: counters["workers_came"] >= came)
    assert counters["sends"] - sent < _TIMES / 2, "the device asked each time"
    stage.proxy.rule = honest
    stage.delivered(asked)
    return [asked]


def _gone(stage: Stage) -> list[Asked]:
    """Publish the true worker's will while it lives."""
    stage.publish(_presence(stage, stage.worker_name), b"", retain=True)
    asked = stage.ask()
    stage.delivered(asked)
    return [asked]


def _slandered(payload: dict[str, object], stage: Stage) -> list[Asked]:
    """Publish the device's own state in its place: its will, or counters that it has not."""
    route, counters = stage.device.asker.route, stage.device.counters
    state = topics.device_state(route.fleet, route.device)
    before = counters["states_overwritten"]

    def noticed() -> bool:  # not right behind its own word, when its last will may still come
        stage.publish(state, json.dumps(payload).encode(), retain=True)
        time.sleep(2 * SETTLED_S)
        return counters["states_overwritten"] > before

    until(noticed)
    asked = stage.ask()
    stage.delivered(asked)
    until(lambda: _told(stage).get("states_overwritten"))
    return [asked]


def _told(stage: Stage) -> dict[str, int]:
    """The counters of the device that the operator sees; none while it has not heard of it."""
    heard = listen("127.0.0.1", stage.broker_port, wait_s=0.2)
    return next((each.counters for each in heard if each.device == BOARD), {})


PRESENCES = (
    *(
        Attack(
            f"presence poison: {name}",
            "says so of a worker",
            partial(_broken, payload),
            ("agent.presences_unreadable",),
        )
        for name, payload in _BROKEN.items()
    ),
    Attack(
        "presence of another pool",
        "sends what was not asked for",
        partial(_a_topic_of_nobody, "fl/v1/home/pool/other/worker/w"),
        ("agent.messages_strange",),
    ),
    Attack(
        "message on another's topic",
        "sends what was not asked for",
        partial(_a_topic_of_nobody, "fl/v1/home/dev/board-2/answer"),
        ("agent.messages_strange",),
    ),
    Attack("workers invented", "says that 2,000 are there", _invented, ("worker.answered",)),
    Attack("worker comes and goes", "says so 300 times", _flapping, ("agent.workers_came",)),
    Attack("worker's will forged", "says that it has gone", _gone, ("worker.answered",)),
    Attack(
        "device's will forged",
        "says that it has gone",
        partial(_slandered, {"online": False}),
        ("agent.states_overwritten",),
    ),
    Attack(
        "device's counters forged",
        "says that all is well",
        partial(_slandered, {"online": True, "counters": {}}),
        ("agent.states_overwritten",),
    ),
)
