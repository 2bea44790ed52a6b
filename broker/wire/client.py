"""paho's client, on guard: a broker that breaks the protocol loses us until the next try, no more.

By itself paho takes a packet as long as MQTT can say, which is 256 MiB, keeps what comes at QoS 2
in memory for as long as the broker likes, queues what we publish and acknowledge however long the
broker acknowledges and reads nothing, and loses its network thread, and with it every later
reconnect, to the first packet that it cannot read.
"""

import socket
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from broker.wire.link import Message
from broker.wire.tls import explain

MALFORMED = "packets_malformed"
OVERSIZED = "packets_oversized"
UNREAD = "packets_unread"
MOST_UNACKNOWLEDGED = 512  # publishes; one more is refused, as if we were offline
_MOST_UNSENT = 65_535  # packets: as many as there are identifiers, so nobody honest leaves more
_PUBLISH_ABOVE_QOS_1 = (0xF4, 0x34)  # mask and value of a first byte: MQTT 5.0, section 3.3.1
_TYPE, _CONNACK = 0xF0, 0x20  # of a first byte


class GuardedClient(Client):
    """Hangs up instead of failing.

    Args:
        client_id: Names us to the broker.
        max_packet_bytes: A longer packet is not read.
        breached: Told which of the names above it was, on paho's thread.
    """

    def __init__(
        self, client_id: str, *, max_packet_bytes: int, breached: Callable[[str], None]
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        self.max_queued_messages_set(MOST_UNACKNOWLEDGED)
        self._max_packet_bytes = max_packet_bytes
        self._breached = breached
        self._lost: OSError | None = None  # what ended the last connection

    def lost(self) -> str:
        """Why the last connection ended, where paho tells nobody but its log; told once."""
        error, self._lost = self._lost, None
        return "" if error is None else explain(error)

    # The next two are paho's own names; tests/attacks hold that paho still calls them.

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > self._max_packet_bytes:  # paho asks for all that the packet says to have left
            self._breached(OVERSIZED)
            raise ConnectionAbortedError("the broker sends too long a packet")
        try:
            return super()._sock_recv(bufsize)
        except BlockingIOError:
            raise
        except OSError as error:
            self._lost = error
            raise

    def _packet_handle(self) -> MQTTErrorCode:
        if len(self._out_packet) > _MOST_UNSENT:
            self._breached(UNREAD)
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        first: Any = self._in_packet["command"]
        mask, unasked = _PUBLISH_ABOVE_QOS_1
        code = MQTTErrorCode.MQTT_ERR_PROTOCOL
        try:
            if first & mask != unasked:
                code = super()._packet_handle()
        except Exception:  # noqa: BLE001 - whatever it was, the network thread must live
            code = MQTTErrorCode.MQTT_ERR_PROTOCOL
            first = 0
        # A refused connection is a PROTOCOL error to paho, and none to us.
        if code == MQTTErrorCode.MQTT_ERR_PROTOCOL and first & _TYPE != _CONNACK:
            self._breached(MALFORMED)
        return code


def without_delay(_client: Client, _data: object, connection: Any) -> None:  # noqa: ANN401
    """Have the connection send at once."""
    # Nagle's algorithm and delayed ACKs cost 44 ms on each side: 237 times the round trip.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def publish_properties(message: Message) -> Properties | None:
    """What goes with a message beside its payload."""
    if not message.correlation and message.expiry_s is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if message.correlation:
        properties.CorrelationData = message.correlation
    if message.answer_topic:
        properties.ResponseTopic = message.answer_topic
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    return properties
