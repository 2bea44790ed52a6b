"""What devices say on the broker, and what anybody else may have written there."""

import json
from queue import SimpleQueue

import pytest

from broker.fleet.mosquitto import LOOPBACK, RunningBroker
from broker.wire.session import Acknowledged, Address, Event, Message, Session
from firstline import cli
from firstline.exits import ExitCode
from firstline.heard import Standing, read

TOPIC = "fl/v1/home/dev/board-1/state"
STATE = {
    "session": 4,
    "online": True,
    "version": "0.1.0",
    "counters": {"asked": 2, "masked_EMAIL": 3, "bytes_out": 1538},
}


def publish(broker: RunningBroker, topic: str, payload: bytes) -> None:
    events: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=LOOPBACK, port=broker.port, client_id="board-1")
    with Session(address, subscriptions=(), sink=events.put) as session:
        events.get(timeout=60)
        session.publish(Message(topic, payload, retain=True))
        while not isinstance(events.get(timeout=60), Acknowledged):
            pass


@pytest.mark.broker
def test_every_device_is_shown_with_its_counters(
    broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(broker, TOPIC, json.dumps(STATE).encode())
    command = ["fleet", "status", "--port", str(broker.port)]

    assert cli.main(command) == ExitCode.OK
    shown = capsys.readouterr().out
    assert cli.main([*command, "--json"]) == ExitCode.OK

    assert shown.splitlines() == [
        "home/board-1  online  0.1.0",
        "    asked  2",
        "    bytes_out  1538",
        "    masked_EMAIL  3",
    ]
    (device,) = json.loads(capsys.readouterr().out)["devices"]
    assert device["counters"] == STATE["counters"]


@pytest.mark.broker
def test_a_broker_without_devices_says_so(
    broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fleet", "status", "--port", str(broker.port), "--wait-s", "0.2"]

    assert cli.main(command) == ExitCode.OK

    assert capsys.readouterr().out == "No device is known there.\n"


def test_a_broker_that_is_away_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fleet", "status", "--port", "1"]) == ExitCode.BROKER

    assert "127.0.0.1:1: " in capsys.readouterr().err


WRITTEN = {
    "no JSON": (TOPIC, b"{", None),
    "no object": (TOPIC, b"[]", None),
    "too deep": (TOPIC, b"[" * 100_000, None),
    "another topic": ("fl/v1/home/dev/board-1/answer", b"{}", None),
    "nothing in it": (TOPIC, b"{}", Standing("home", "board-1", False, "", {})),  # noqa: FBT003
    "what a terminal would obey": (
        TOPIC,
        json.dumps(
            {"version": "\x1b[2J", "counters": {"\x1b[2J": 1, "a": True, "b": "c"}}
        ).encode(),
        Standing("home", "board-1", False, "", {}),  # noqa: FBT003
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_has_another_form_is_passed_over(name: str) -> None:
    topic, payload, expected = WRITTEN[name]

    assert read(topic, payload) == expected
