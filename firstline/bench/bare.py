"""What a user would write first: a request and a response with paho alone, nothing sealed or kept.

    python -m firstline.bench.bare HOST PORT        the answering side, until its input closes

`TCP_NODELAY` is set on both sides, without which this takes 88 ms instead of 0.4. This module
and `broker.wire.session` are the only ones to import paho: here it is the thing measured.
"""

import socket
import subprocess
import sys
import threading
import time
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_QUESTIONS = "bare/+/question"
_SHARED = f"$share/bare/{_QUESTIONS}"
_QUESTION = "bare/device/question"
_ANSWER = "bare/device/answer"
_PATIENCE_S = 10.0
_WINDOW = 64  # as many as `broker.wire.session` lets be unacknowledged


class BareDevice:
    """The asking side; a context manager that starts the answering side in its own process."""

    def __init__(self, host: str, port: int) -> None:
        self._worker = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "firstline.bench.bare", host, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._ready, self._answered = threading.Event(), threading.Event()
        self._answers = threading.Semaphore(0)
        self._answered_s = 0.0
        self._client = _client("bare-device")
        self._client.on_connect = lambda client, *_: client.subscribe(_ANSWER, 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.connect(host, port)
        self._client.loop_start()

    def __enter__(self) -> Self:
        assert self._worker.stdout is not None  # noqa: S101 - a pipe was asked for
        self._worker.stdout.readline()
        if not self._ready.wait(_PATIENCE_S):
            raise TimeoutError("the broker did not answer")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._worker.kill()
        self._worker.communicate()

    def ask(self, payload: bytes) -> float:
        """Ask once; return the round trip in seconds.

        Raises:
            TimeoutError: no answer.
        """
        self._answered.clear()
        started_s = time.perf_counter()
        self._publish(payload)
        if not self._answered.wait(_PATIENCE_S):
            raise TimeoutError("no answer")
        return self._answered_s - started_s

    def flood(self, payload: bytes, count: int) -> float:
        """Ask `count` times, with a full window unanswered; return how many a second.

        Raises:
            TimeoutError: no answer.
        """
        self._answers = threading.Semaphore(_WINDOW)
        started_s = time.perf_counter()
        for number in range(count + _WINDOW):  # the last ones wait for the answers only
            if not self._answers.acquire(timeout=_PATIENCE_S):
                raise TimeoutError("no answer")
            if number < count:
                self._publish(payload)
        return count / (time.perf_counter() - started_s)

    def _publish(self, payload: bytes) -> None:
        properties = _properties()
        properties.ResponseTopic = _ANSWER
        properties.CorrelationData = b"0" * 16
        properties.MessageExpiryInterval = 60
        self._client.publish(_QUESTION, payload, 1, properties=properties)

    def _on_message(self, _client: Client, _data: object, _message: MQTTMessage) -> None:
        self._answered_s = time.perf_counter()
        self._answered.set()
        self._answers.release()


def main() -> None:
    """Answer each question with itself."""
    host, port = sys.argv[1], int(sys.argv[2])
    client = _client("bare-worker")
    client.on_connect = lambda client, *_: client.subscribe(_SHARED, 1)
    client.on_subscribe = _ready
    client.on_message = _echo
    client.connect(host, port)
    client.loop_start()
    sys.stdin.read()


def _ready(*_: object) -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _echo(client: Client, _data: object, message: MQTTMessage) -> None:
    properties = _properties()
    asked: Any = message.properties
    properties.CorrelationData = asked.CorrelationData
    client.publish(asked.ResponseTopic, message.payload, 1, properties=properties)


def _client(name: str) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
    )
    client.on_socket_open = _without_delay
    return client


def _without_delay(_client: Client, _data: object, connection: Any) -> None:  # noqa: ANN401
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _properties() -> Properties:
    return Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
