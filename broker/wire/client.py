"""paho's client, on guard: a broker that breaks the protocol loses us until the next try, no more.

By itself paho takes a packet as long as MQTT can say, which is 256 MiB, keeps what comes at QoS 2
in memory for as long as the broker likes, queues what we publish and acknowledge however long the
broker acknowledges and reads nothing, and loses its network thread, and with it every later
reconnect, to the first packet that it cannot read.

It connects, subscribes, keeps alive and reconnects. Messages and their acknowledgements pass it by:
read as many as have come with one system call, written as many as wait with one, and the network
thread is woken once for all of them.
"""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, cast

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from broker.wire import packets
from broker.wire.link import Message
from broker.wire.packets import PacketError, Publish
from broker.wire.tls import explain

if TYPE_CHECKING:
    from paho.mqtt.properties import Properties

MALFORMED = "packets_malformed"
OVERSIZED = "packets_oversized"
UNREAD = "packets_unread"
MOST_UNACKNOWLEDGED = 512  # publishes; one more is refused, as if we were offline
_MOST_UNSENT = 65_535  # packets: as many as there are identifiers, so nobody honest leaves more
_PUBLISH_ABOVE_QOS_1 = (0xF4, 0x34)  # mask and value of a first byte: MQTT 5.0, section 3.3.1
_TYPE, _CONNACK = 0xF0, 0x20  # of a first byte
_AT_LEAST_ONCE = 1
_AT_ONCE_BYTES = 64 * 1024  # read with one system call
_TOGETHER = 64  # packets written with one
_JOINED = 0  # no packet's number


class GuardedClient(Client):
    """Hangs up instead of failing.

    Args:
        client_id: Names us to the broker.
        max_packet_bytes: A longer packet is not read.
        breached: Told which of the names above it was.
        received: Takes messages, and may wait with it.
        acknowledged: Takes what the broker acknowledges, and the reason code.

    What is told is told on paho's thread.
    """

    def __init__(
        self,
        client_id: str,
        *,
        max_packet_bytes: int,
        breached: Callable[[str], None],
        received: Callable[[Publish], None],
        acknowledged: Callable[[int, int], None],
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        self.max_queued_messages_set(MOST_UNACKNOWLEDGED)
        self._max_packet_bytes = max_packet_bytes
        self._breached, self._received, self._acknowledged = breached, received, acknowledged
        self._lost: OSError | None = None  # what ended the last connection
        self._unread = bytearray()  # the beginning of a packet whose rest has not come
        self._woken = False  # the network thread will look at what is to be written

    def lost(self) -> str:
        """Why the last connection ended, where paho tells nobody but its log; told once."""
        error, self._lost = self._lost, None
        return "" if error is None else explain(error)

    def forget(self) -> None:
        """Know nobody any more, so that nobody is kept in memory."""
        self.on_socket_open = self.on_connect = self.on_connect_fail = None
        self.on_disconnect = self.on_subscribe = None
        self._breached = self._received = self._acknowledged = _nothing

    def send(self, message: Message) -> tuple[MQTTErrorCode, int]:
        """Publish at QoS 1; return whether that was possible, and the packet's number."""
        packed = cast("Properties", _Packed(packets.properties(message)))
        topic, payload = message.topic, message.payload
        info = self.publish(topic, payload, _AT_LEAST_ONCE, message.retain, packed)
        return info.rc, info.mid

    def reconnect(self) -> MQTTErrorCode:
        """Connect anew; nothing of the last connection is left."""
        self._unread.clear()
        self._woken = False
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's
        """Read what has come, however many packets that is."""
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            data = self._sock_recv(_AT_ONCE_BYTES)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError as error:
            self._lost = error
            data = b""
        self._unread += data
        self._last_bytes_received = time.monotonic()
        code = self._handle_all() if data else MQTTErrorCode.MQTT_ERR_CONN_LOST
        return self._loop_rc_handle(code)

    def loop_write(self) -> MQTTErrorCode:
        """Write what waits."""
        self._woken = False  # before looking: what is queued from now on wakes us again
        self._join_packets()
        return super().loop_write()

    # The next two are paho's own names; tests/attacks hold that paho still calls them.

    def _packet_queue(
        self, command: int, packet: bytes | bytearray, mid: int, qos: int, info: object = None
    ) -> MQTTErrorCode:
        waiting = {"command": command, "mid": mid, "qos": qos, "pos": 0, "packet": packet}
        self._out_packet.append(cast("Any", waiting | {"to_process": len(packet), "info": info}))
        if not self._woken and self._sockpairW is not None:
            self._woken = True
            with suppress(BlockingIOError):  # it is full of such bytes
                self._sockpairW.send(b"0")
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _packet_handle(self) -> MQTTErrorCode:
        if len(self._out_packet) > _MOST_UNSENT:
            self._breached(UNREAD)
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        first: Any = self._in_packet["command"]
        mask, unasked = _PUBLISH_ABOVE_QOS_1
        code = MQTTErrorCode.MQTT_ERR_PROTOCOL
        try:
            if first & mask != unasked:
                code = self._handle(first)
        except Exception:  # noqa: BLE001 - whatever it was, the network thread must live
            code = MQTTErrorCode.MQTT_ERR_PROTOCOL
            first = 0
        # A refused connection is a PROTOCOL error to paho, and none to us.
        if code == MQTTErrorCode.MQTT_ERR_PROTOCOL and first & _TYPE != _CONNACK:
            self._breached(MALFORMED)
        return code

    def _handle_all(self) -> MQTTErrorCode:
        data, at = self._unread, 0
        try:
            while self._sock is not None and (found := packets.frame(data, at)):
                if found.end - found.start > self._max_packet_bytes:
                    self._breached(OVERSIZED)
                    self._lost = ConnectionAbortedError("the broker sends too long a packet")
                    return MQTTErrorCode.MQTT_ERR_CONN_LOST
                if found.end > len(data):
                    break
                body = data[found.start : found.end]
                known: Any = self._in_packet
                known |= {"command": found.first, "packet": body, "remaining_length": len(body)}
                if code := self._packet_handle():
                    return code
                at = found.end
        except PacketError:
            self._breached(MALFORMED)
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        del data[:at]
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle(self, first: int) -> MQTTErrorCode:
        body = bytes(self._in_packet["packet"])
        match first & _TYPE:
            case packets.PUBLISH:
                self._received(packets.publish(first, body))
            case packets.PUBACK:
                self._free(*packets.puback(body))
            case _:
                return super()._packet_handle()
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _free(self, mid: int, code: int) -> None:
        """Let go of a message that the broker has, or refuses."""
        with self._out_message_mutex:
            known = self._out_messages.pop(mid, None)
            if known is not None:
                self._inflight_messages -= 1
                if len(self._out_messages) > self._inflight_messages:  # some wait for their turn
                    self._update_inflight()
        if known is not None:
            self._acknowledged(mid, code)

    def _join_packets(self) -> None:
        """Have what waits travel together. Not again before that has gone: see _MOST_UNSENT."""
        waiting = self._out_packet
        if len(waiting) < 2 or waiting[0]["pos"] or waiting[0]["mid"] == _JOINED:  # noqa: PLR2004
            return
        whole = [waiting.popleft() for _ in range(len(waiting))]
        for packet in reversed(list(_joined(whole))):
            waiting.appendleft(packet)


class _Packed:
    """Properties that are written already."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def pack(self) -> bytes:
        """As paho's own."""
        return self._packed


def _joined(whole: Sequence[Any]) -> Iterator[Any]:
    for plain, group in groupby(whole, lambda each: packets.is_plain(each["command"])):
        if not plain:
            yield from group
            continue
        while part := list(islice(group, _TOGETHER)):
            packet = b"".join(each["packet"] for each in part)
            yield part[0] | {"packet": packet, "to_process": len(packet), "mid": _JOINED}


def without_delay(_client: Client, _data: object, connection: Any) -> None:  # noqa: ANN401
    """Have the connection send at once."""
    # Nagle's algorithm and delayed ACKs cost 44 ms on each side: 237 times the round trip.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _nothing(*_: object) -> None:
    """What comes after the end is for nobody."""
