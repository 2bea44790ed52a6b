"""paho on guard, where a broker would take too long to show it: see tests/attacks for the rest."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from paho.mqtt.enums import MQTTErrorCode

from broker.wire.client import OVERSIZED, UNREAD, GuardedClient
from broker.wire.link import Message
from broker.wire.packets import Publish
from tests.attacks.mqtt5 import PINGRESP, Packet, puback
from tests.attacks.mqtt5 import Publish as Sent

_MESSAGE = Sent(b"fl/v1/home/dev/board-1/answer", b"sealed", mid=7).packet().encode()


@dataclass
class Wire:
    """A client on a socket, with the broker's end in our hand."""

    broker: socket.socket
    client: GuardedClient = field(init=False)
    told: list[str] = field(default_factory=list)
    received: list[Publish] = field(default_factory=list)
    acknowledged: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = GuardedClient(
            "board-1",
            max_packet_bytes=1024,
            breached=self.told.append,
            received=self.received.append,
            acknowledged=lambda mid, code: self.acknowledged.append((mid, code)),
        )

    def come(self, data: bytes) -> MQTTErrorCode:
        """Have the client read bytes."""
        self.broker.sendall(data)
        return self.client.loop_read()


@pytest.fixture
def wire() -> Iterator[Wire]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(0.0)
        ours.settimeout(0.0)
        wire = Wire(theirs)
        wire.client._sock = ours
        yield wire


def test_a_broker_that_reads_nothing_loses_us(wire: Wire) -> None:
    wire.client._in_packet |= {"command": PINGRESP << 4, "packet": bytearray()}
    for mid in range(65_536):
        wire.client.ack(mid, 1)

    code = wire.client._packet_handle()

    assert code == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert wire.told == [UNREAD]


def test_what_a_broker_does_not_read_is_counted_one_by_one(wire: Wire) -> None:
    while not wire.client._out_packet:
        wire.client.ack(1, 1)
        wire.client.loop_write()
    for _ in range(1000):
        wire.client.ack(1, 1)
        wire.client.loop_write()

    assert len(wire.client._out_packet) > 900  # what was joined once is not joined again


def test_messages_that_come_together_are_all_read(wire: Wire) -> None:
    code = wire.come(_MESSAGE * 3 + puback(9).encode() + _MESSAGE[:10])

    assert code == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert [each.mid for each in wire.received] == [7, 7, 7]
    assert wire.come(_MESSAGE[10:]) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert wire.received[3] == Publish("fl/v1/home/dev/board-1/answer", b"sealed", 7, b"", {})
    assert not wire.acknowledged  # it is of nothing that was sent


def test_a_packet_that_is_too_long_is_not_waited_for(wire: Wire) -> None:
    code = wire.come(b"\x32\xff\x7f" + bytes(20))

    assert code == MQTTErrorCode.MQTT_ERR_CONN_LOST
    assert wire.told == [OVERSIZED]
    assert wire.client.lost() == "the broker sends too long a packet"


def test_nothing_to_read_is_no_end(wire: Wire) -> None:
    assert wire.client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS


def test_an_end_is_an_end(wire: Wire) -> None:
    wire.broker.shutdown(socket.SHUT_WR)

    assert wire.client.loop_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST
    assert wire.client.loop_read() == MQTTErrorCode.MQTT_ERR_NO_CONN


def test_what_waits_is_written_together_and_in_order(wire: Wire) -> None:
    for mid in range(1, 100):
        wire.client.ack(mid, 1)
    wire.client._send_pingreq()
    wire.client.send(Message("t", b"x"))
    wire.client.loop_write()

    acks = b"".join(Packet(0x40, mid.to_bytes(2)).encode() for mid in range(1, 100))
    said = b"\x32\x07\x00\x01t\x00\x01\x00x"
    assert wire.broker.recv(65_536) == acks + b"\xc0\0" + said


def test_an_acknowledgement_frees_the_next_message(wire: Wire) -> None:
    wire.client.max_inflight_messages_set(1)
    sent = [wire.client.send(Message("t", bytes([each]))) for each in range(2)]
    wire.client.loop_write()
    before = wire.broker.recv(65_536)
    wire.come(Packet(0x40, b"\0\1\x10").encode() * 2)
    wire.client.loop_write()

    assert sent == [(MQTTErrorCode.MQTT_ERR_SUCCESS, 1), (MQTTErrorCode.MQTT_ERR_SUCCESS, 2)]
    assert before == b"\x32\x07\x00\x01t\x00\x01\x00\x00"
    assert wire.broker.recv(65_536) == b"\x32\x07\x00\x01t\x00\x02\x00\x01"
    assert wire.acknowledged == [(1, 0x10)]


def test_the_network_thread_is_woken_once_for_all_that_waits(wire: Wire) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.0)
        wire.client._sockpairW = theirs
        for mid in range(9):
            wire.client.ack(mid, 1)

        assert ours.recv(100) == b"0"
        wire.client.loop_write()
        wire.client.ack(9, 1)
        assert ours.recv(100) == b"0"
        wire.client._sockpairW = None
