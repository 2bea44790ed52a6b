"""One MQTT 5 connection. Only this module and `client` import paho.

paho calls back on its own thread. Our callbacks do one thing, put an event into the owner's
queue, so no product code ever runs there. Reconnecting is paho's job: we never write that loop.
A broker that sends faster than the owner acknowledges is not read until there is room again.
"""

import random
import sys
from collections.abc import Callable, Sequence
from threading import Semaphore
from typing import Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from broker.wire.client import GuardedClient, without_delay
from broker.wire.errors import BrokerUnavailableError
from broker.wire.link import (
    FAILURE,
    IN_FLIGHT,
    NO_MATCHING_SUBSCRIBERS,
    Acknowledged,
    Address,
    Breached,
    Event,
    Message,
    Offline,
    Online,
    Receipt,
    Received,
    SubscriptionRefused,
    ending,
)
from broker.wire.packets import Publish
from broker.wire.tls import client_context, explain

__all__ = [
    "FAILURE",
    "IN_FLIGHT",
    "NO_MATCHING_SUBSCRIBERS",
    "Acknowledged",
    "Address",
    "Breached",
    "Event",
    "Message",
    "Offline",
    "Online",
    "Receipt",
    "Received",
    "Session",
    "SubscriptionRefused",
]

_AT_MOST_ONCE, _AT_LEAST_ONCE = 0, 1
_KEEP_ALIVE_S = 30
_DEFAULT_RECEIVE_MAXIMUM = 65_535  # MQTT 5.0, section 3.2.2.3.3
_FIRST_RETRY_S = (0.5, 1.5)  # paho doubles it without jitter, so we draw it anew each time
_LAST_RETRY_S = (20.0, 40.0)
_LOOK_S = 0.5  # while there is no room: whether we are closing


class Session:
    """A context manager for one connection.

    Args:
        address: The broker.
        subscriptions: Topic filters, subscribed again after every connect.
        will: Published by the broker when we vanish.
        sink: Takes events, on paho's thread; must only put them into a queue.

    Raises:
        KeyFileError: the files for TLS cannot be used.
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
        self._asked = self._subscriptions = [(name, _AT_LEAST_ONCE) for name in subscriptions]
        self._sink = sink
        self._connection = self._subscribing = 0
        self._online = self._refused = self._closing = False
        self._room = Semaphore(address.receive_maximum)
        self._client = GuardedClient(
            address.client_id,
            max_packet_bytes=address.max_packet_bytes,
            breached=lambda how: sink(Breached(how)),
            received=self._on_received,
            acknowledged=lambda mid, code: sink(Acknowledged(mid, code)),
        )
        if address.tls is not None:
            self._client.tls_set_context(client_context(address.tls))
        if address.user:
            self._client.username_pw_set(address.user, address.password)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.on_socket_open = without_delay
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        if will is not None:
            self._client.will_set(will.topic, will.payload, _AT_LEAST_ONCE, will.retain)

    def __enter__(self) -> Self:
        address = self._address
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        connect.ReceiveMaximum = address.receive_maximum
        connect.MaximumPacketSize = address.max_packet_bytes
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
        self._closing = True
        self._client.loop_stop()
        self._client.forget()  # so its sockets are freed as soon as we are

    def publish(self, message: Message) -> int:
        """Publish at QoS 1; the PUBACK comes later as `Acknowledged` with the returned mid.

        Raises:
            BrokerUnavailableError: offline. Nothing is kept: the caller's outbox does that.
        """
        if not self._online:  # else paho would queue it: one queue, not two
            raise BrokerUnavailableError("offline")
        code, mid = self._client.send(message)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerUnavailableError(f"not published: {code}")
        return mid

    def watch(self, topics: Sequence[str]) -> None:
        """Subscribe to more, now and after each reconnect; what is retained there comes again.

        Offline, nothing is sent: the next connect subscribes to all. It comes at QoS 0: what is
        retained comes again with the next subscription, and at QoS 1 the broker would keep it for
        us while we are away, and then send it twice.
        """
        new = [(name, _AT_MOST_ONCE) for name in topics]
        known = {name for name, _ in new}
        self._subscriptions = [each for each in self._subscriptions if each[0] not in known] + new
        if self._online and new:
            self._client.subscribe(new)

    def unwatch(self, topics: Sequence[str]) -> None:
        """Hear no more of these filters; what is under way may still come."""
        gone = set(topics)
        self._subscriptions = [each for each in self._subscriptions if each[0] not in gone]
        if self._online and gone:
            self._client.unsubscribe(list(topics))

    def ack(self, receipt: Receipt) -> None:
        """Tell the broker that we have taken responsibility for a message."""
        if receipt.connection != self._connection:
            return
        self._room.release()
        if receipt.mid:
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
        self._refused = code.is_failure
        if self._refused:  # paho keeps trying
            reason = f"the broker refused us: {code}"
            self._sink(Offline(reason, refused=True, code=code.value))
            return
        self._connection += 1
        self._room = Semaphore(self._address.receive_maximum)
        self._asked = self._subscriptions  # which `watch` replaces, and never changes
        if self._asked:
            self._subscribing = client.subscribe(self._asked)[1] or 0
        self._online = True
        if late := [each for each in self._subscriptions if each not in self._asked]:
            client.subscribe(late)  # `watch` took us for offline
        limit = getattr(properties, "ReceiveMaximum", _DEFAULT_RECEIVE_MAXIMUM)
        self._sink(Online(limit))

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        self._draw_retry_delay()
        error = sys.exc_info()[1]  # paho calls us while it handles the error, which it tells nobody
        why = f": {explain(error)}" if isinstance(error, OSError) else ""
        self._sink(Offline(f"the broker cannot be reached{why}"))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, *_: object
    ) -> None:
        self._draw_retry_delay()
        why = self._client.lost() or ending(code.value, str(code))
        if self._online:
            self._online = False
            self._sink(Offline(f"the connection ended: {why}"))
        elif not self._refused:  # else it has said why. TLS 1.3 refuses a certificate only now
            self._sink(Offline(f"the broker hung up: {why}", refused=True))

    def _on_subscribe(
        self, _client: Client, _data: object, mid: int, codes: Sequence[ReasonCode], _: object
    ) -> None:
        if mid != self._subscribing:
            return
        self._subscribing = 0  # once, however often the broker says it
        for (name, _qos), code in zip(self._asked, codes, strict=True):
            if code.is_failure:
                self._sink(SubscriptionRefused(name, code.value))

    def _on_received(self, message: Publish) -> None:
        while not (self._room.acquire(timeout=_LOOK_S) or self._closing):
            pass
        receipt = Receipt(message.mid, self._connection)
        topic, payload, correlation = message.topic, message.payload, message.correlation
        self._sink(Received(topic, payload, correlation, receipt, message.user))
