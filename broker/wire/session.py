"""One MQTT 5 connection. The only module that imports paho.

paho calls back on its own thread. Our callbacks do one thing, put an event into the owner's
queue, so no product code ever runs there. Reconnecting is paho's job: we never write that loop.
"""

import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from broker.wire.errors import BrokerUnavailableError

NO_MATCHING_SUBSCRIBERS = 0x10  # MQTT 5.0, section 3.4.2.1: a "success" that nobody heard
FAILURE = 0x80  # reason codes from here on are refusals
IN_FLIGHT = 64  # publishes without a PUBACK at once; more are slower through paho
_AT_LEAST_ONCE = 1
_KEEP_ALIVE_S = 30
_DEFAULT_RECEIVE_MAXIMUM = 65_535  # MQTT 5.0, section 3.2.2.3.3
_FIRST_RETRY_S = (0.5, 1.5)  # paho doubles it without jitter, so we draw it anew each time
_LAST_RETRY_S = (20.0, 40.0)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `Session.ack` needs. Worthless after a reconnect (MQTT 5.0, section 4.4)."""

    mid: int
    connection: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came off the wire, not yet acknowledged."""

    topic: str
    payload: bytes = field(repr=False)
    correlation: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Online:
    """Connected. The broker takes this many unacknowledged publishes at once."""

    receive_maximum: int


@dataclass(frozen=True, slots=True)
class Offline:
    """Not connected, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker's PUBACK. That is not delivery."""

    mid: int
    code: int  # MQTT 5.0, section 3.4.2.1


Event = Received | Online | Offline | Acknowledged


@dataclass(frozen=True, slots=True)
class Message:
    """What to publish."""

    topic: str
    payload: bytes = field(repr=False)
    correlation: bytes = b""
    answer_topic: str = ""
    expiry_s: int | None = None
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the broker is, who we are to it, and what it keeps for us."""

    host: str
    port: int
    client_id: str  # names the broker-side session, so a device's must be stable
    session_expiry_s: int = 0  # 0: a clean start each time, as workers want
    receive_maximum: int = 64


class Session:
    """A context manager for one connection.

    Args:
        address: The broker.
        subscriptions: Topic filters, subscribed again after every connect.
        will: Published by the broker when we vanish.
        sink: Takes events, on paho's thread; must only put them into a queue.
    """

    def __init__(
        self,
        address: Address,
        *,
        subscriptions: Sequence[str],
        sink: Callable[[Event], None],
        will: Message | None = None,
    ) -> None:
        self._address = address
        self._subscriptions = [(name, _AT_LEAST_ONCE) for name in subscriptions]
        self._sink = sink
        self._connection = 0
        self._online = False
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.on_socket_open = _without_delay
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        if will is not None:
            self._client.will_set(will.topic, will.payload, _AT_LEAST_ONCE, will.retain)

    def __enter__(self) -> Self:
        address = self._address
        connect = _properties(PacketTypes.CONNECT)
        connect.ReceiveMaximum = address.receive_maximum
        connect.SessionExpiryInterval = address.session_expiry_s
        self._draw_retry_delay()
        self._client.connect_async(
            address.host,
            address.port,
            keepalive=_KEEP_ALIVE_S,
            # False on the first connect too: mosquitto restores no session that began clean.
            clean_start=address.session_expiry_s == 0,
            properties=connect,
        )
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        # With the will: who leaves is seen to have left. MQTT 5.0, section 3.14.2.1
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        self._client.loop_stop()
        client = self._client  # knows us no more, so its sockets are freed as soon as we are
        client.on_socket_open = client.on_connect = client.on_connect_fail = None
        client.on_disconnect = client.on_message = client.on_publish = None

    def publish(self, message: Message) -> int:
        """Publish at QoS 1; the PUBACK comes later as `Acknowledged` with the returned mid.

        Raises:
            BrokerUnavailableError: offline. Nothing is kept: the caller's outbox does that.
        """
        if not self._online:  # else paho would queue it: one queue, not two
            raise BrokerUnavailableError("offline")
        info = self._client.publish(
            message.topic,
            message.payload,
            _AT_LEAST_ONCE,
            message.retain,
            _publish_properties(message),
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerUnavailableError(f"not published: {info.rc}")
        return info.mid

    def ack(self, receipt: Receipt) -> None:
        """Tell the broker that we have taken responsibility for a message."""
        if receipt.connection == self._connection:
            self._client.ack(receipt.mid, _AT_LEAST_ONCE)

    def _draw_retry_delay(self) -> None:
        first_s = random.uniform(*_FIRST_RETRY_S)  # noqa: S311 - jitter, not a secret
        last_s = random.uniform(*_LAST_RETRY_S)  # noqa: S311 - jitter, not a secret
        self._client.reconnect_delay_set(first_s, last_s)  # type: ignore[arg-type] # floats work

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:  # refused: paho keeps trying
            self._sink(Offline(f"the broker refused us: {code}"))
            return
        self._connection += 1
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        self._online = True
        limit = getattr(properties, "ReceiveMaximum", _DEFAULT_RECEIVE_MAXIMUM)
        self._sink(Online(limit))

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        self._draw_retry_delay()
        self._sink(Offline("the broker cannot be reached"))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, *_: object
    ) -> None:
        self._draw_retry_delay()
        if self._online:  # else it was refused, and the reason has been told
            self._online = False
            self._sink(Offline(f"the connection ended: {code}"))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", b"")
        receipt = Receipt(message.mid, self._connection)
        self._sink(Received(message.topic, bytes(message.payload), bytes(correlation), receipt))

    def _on_publish(
        self, _client: Client, _data: object, mid: int, code: ReasonCode, _: Properties | None
    ) -> None:
        self._sink(Acknowledged(mid, code.value))


def _without_delay(_client: Client, _data: object, connection: Any) -> None:  # noqa: ANN401
    # Nagle's algorithm and delayed ACKs cost 44 ms on each side: 237 times the round trip.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _publish_properties(message: Message) -> Properties | None:
    if not message.correlation and message.expiry_s is None:
        return None
    properties = _properties(PacketTypes.PUBLISH)
    if message.correlation:
        properties.CorrelationData = message.correlation
    if message.answer_topic:
        properties.ResponseTopic = message.answer_topic
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    return properties


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]
