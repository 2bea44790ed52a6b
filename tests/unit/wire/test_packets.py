"""Packets that we read and write ourselves, beside paho's own reading and writing of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as Untyped

from broker.wire import packets
from broker.wire.link import Message
from broker.wire.packets import Frame, PacketError, Publish
from tests.attacks.mqtt5 import Packet, string, varint

_QOS_1 = 0x32
Properties: Any = Untyped
_TOPICS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0+#"), min_size=1)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


@given(
    correlation=st.binary(max_size=300),
    answer_topic=_TOPICS | st.just(""),
    expiry_s=st.none() | st.integers(0, 2**32 - 1),
)
def test_paho_reads_the_properties_that_we_write(
    correlation: bytes, answer_topic: str, expiry_s: int | None
) -> None:
    message = Message("t", b"", correlation, answer_topic, expiry_s)

    packed = packets.properties(message)

    read, length = Properties(PacketTypes.PUBLISH).unpack(packed)
    assert length == len(packed)
    assert getattr(read, "CorrelationData", b"") == correlation
    assert getattr(read, "ResponseTopic", "") == answer_topic
    assert getattr(read, "MessageExpiryInterval", None) == expiry_s


@given(
    topic=_TOPICS,
    payload=st.binary(max_size=300),
    mid=st.integers(1, 65_535),
    correlation=st.binary(max_size=40),
    user=st.dictionaries(_TEXTS, _TEXTS, max_size=3),
)
def test_we_read_what_paho_writes(
    topic: str, payload: bytes, mid: int, correlation: bytes, user: dict[str, str]
) -> None:
    told = Properties(PacketTypes.PUBLISH)
    told.CorrelationData, told.UserProperty = correlation, list(user.items())
    told.PayloadFormatIndicator, told.MessageExpiryInterval, told.TopicAlias = 1, 60, 7
    told.ContentType, told.ResponseTopic, told.SubscriptionIdentifier = "c", "r", [300, 1]
    body = string(topic.encode()) + mid.to_bytes(2) + told.pack() + payload

    read = packets.publish(_QOS_1, body)

    assert read == Publish(topic, payload, mid, correlation, user)


def test_a_publish_at_qos_0_has_no_number() -> None:
    assert packets.publish(0x30, string(b"t") + b"\0x") == Publish("t", b"x", 0, b"", {})


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"\0\7", (7, 0)), (b"\1\0\x87", (256, 0x87)), (b"\0\7\x10\0", (7, 0x10))],
)
def test_a_puback_has_a_number_and_a_reason(body: bytes, said: tuple[int, int]) -> None:
    assert packets.puback(body) == said


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=6), st.data())
def test_packets_are_found_however_they_are_cut(
    sent: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(Packet(*each).encode() for each in sent)
    cut = data.draw(st.integers(0, len(stream)))

    found, at = [], 0
    for come in (stream[:cut], stream):
        while (frame := packets.frame(come, at)) and frame.end <= len(come):
            found.append((frame.first, come[frame.start : frame.end]))
            at = frame.end

    assert found == sent
    assert at == len(stream)


def test_a_length_is_known_before_its_packet_has_come() -> None:
    assert packets.frame(b"\x32\xff\x01", 0) == Frame(0x32, 3, 258)


def test_a_length_without_end_is_refused() -> None:
    with pytest.raises(PacketError):
        packets.frame(b"\x32\xff\xff\xff\xff\x7f", 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        string(b"t"),
        string(b"t") + b"\0",
        string(b"t") + b"\0\0\0",  # a number of 0 is none
        string(b"t") + b"\0\1",
        string(b"t") + b"\0\1\5",
        string(b"t") + b"\0\1" + b"\xff" * 5,
        string(b"t") + b"\0\1" + varint(2) + b"\x7f\0",
        string(b"t") + b"\0\1" + varint(2) + b"\x09\0",
        string(b"t") + b"\0\1" + varint(3) + b"\x09\0\5",
        string(b"t") + b"\0\1" + varint(6) + b"\x09\0\0" * 2,
        string(b"t") + b"\0\1" + varint(8) + b"\x26" + string(b"\xff\xfe") + string(b"a"),
        string(b"\xff") + b"\0\1\0",
    ],
)
def test_what_is_no_publish_is_refused(body: bytes) -> None:
    with pytest.raises(PacketError):
        packets.publish(_QOS_1, body)


def test_a_puback_without_a_number_is_refused() -> None:
    with pytest.raises(PacketError):
        packets.puback(b"\7")


def test_only_what_nothing_follows_from_travels_together() -> None:
    plain = [first for first in range(256) if packets.is_plain(first)]

    assert plain == [*(first for first in range(0x30, 0x40) if first & 0x06), *range(0x40, 0x50)]
