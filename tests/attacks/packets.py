"""A broker that sends what is no MQTT, or too much of it."""

from contextlib import suppress
from functools import partial
from threading import Event as Gate

from agent.shell.events import Arrived
from tests.attacks.actors import PATIENT, Asked
from tests.attacks.attack import Attack
from tests.attacks.hostile import DOWN
from tests.attacks.mqtt5 import PUBLISH, TOPIC_ALIAS, Packet, Publish, string, varint
from tests.attacks.stage import BOARD, WITHIN_S, Stage, until
from tests.attacks.tampering import on_replies

_MANY, _MOST = 3_000, 70  # messages, and how many may wait: 64 are asked for at once


def _given(data: bytes, stage: Stage) -> list[Asked]:
    """Send the device bytes, and wait until it has connected anew."""
    stage.delivered(stage.ask())  # so it is online
    link = stage.proxy.link(BOARD)
    link.raw(DOWN, data)
    until(lambda: stage.proxy.link(BOARD) is not link)
    return _next(stage)


def _next(stage: Stage) -> list[Asked]:
    asked = stage.ask()
    stage.delivered(asked)
    return [asked]


def _message(
    topic: bytes, payload: bytes = b"x", *, flags: int = 0x02, tail: bytes = b"\0"
) -> bytes:
    """A PUBLISH with properties of our own making."""
    mid = b"\x7f\xff" if flags & 0x06 else b""
    return Packet(PUBLISH << 4 | flags, string(topic) + mid + tail + payload).encode()


def _packet(name: str, tried: str, data: bytes, counter: str = "packets_malformed") -> Attack:
    return Attack(name, tried, partial(_given, data), (f"agent.{counter}", "agent.broker_losses"))


_ANSWER = b"fl/v1/home/dev/board-1/answer"

BROKEN = (
    _packet("topic that is no UTF-8", "sends bytes for a topic", _message(b"fl/\xff\xfe")),
    _packet(
        "properties without end",
        "says they are longer than the packet",
        _message(_ANSWER, tail=varint(9_999)),
    ),
    _packet("property that is none", "sends number 0x7F", _message(_ANSWER, tail=b"\x02\x7f\x00")),
    _packet(
        "one property twice",
        "sends two correlations",
        _message(_ANSWER, tail=b"\x0a" + (b"\x09" + string(b"ab")) * 2),
    ),
    _packet("QoS 2", "has the device keep messages", _message(_ANSWER, flags=0x04)),
    _packet("QoS 3", "sends what there is not", _message(_ANSWER, flags=0x06)),
    _packet("packet of no type", "sends type 0", b"\x00\x00"),
    _packet("PUBACK that is none", "sends a byte", b"\x40\x01\x00"),
    _packet("SUBACK that is none", "sends a byte", b"\x90\x01\x00"),
    _packet(
        "packet of 256 MiB",
        "says that so much follows",
        b"\x32\xff\xff\xff\x7f" + bytes(4_096),
        "packets_oversized",
    ),
    _packet(
        "length without end",
        "sends a length of five bytes",
        b"\x32\xff\xff\xff\xff\x7f",
    ),
)


def _cut(stage: Stage) -> list[Asked]:
    """End the connection in the middle of a packet."""
    stage.delivered(stage.ask())
    link = stage.proxy.link(BOARD)
    link.raw(DOWN, _message(_ANSWER, bytes(999))[:50])
    link.cut()
    return _next(stage)


def _flood(stage: Stage) -> list[Asked]:
    """Send many more messages than the device takes at once, while it is busy."""
    queue, gate = stage.device.queue, Gate()

    def wait(_limit_bytes: int) -> None:
        gate.wait(WITHIN_S)

    queue.put(Arrived(PATIENT, "slow.txt", "", wait, _no, _no))
    stage.proxy.link(BOARD).raw(DOWN, _message(_ANSWER, bytes(900), flags=0) * _MANY)
    with suppress(TimeoutError):
        until(lambda: queue.qsize() > _MOST, within_s=0.3)
    most = queue.qsize()
    gate.set()
    asked = _next(stage)
    assert most <= _MOST, f"{most} messages lay in memory"
    return asked


def _no(*_: object) -> None:
    """An input that has gone before it is read is neither taken nor refused."""


def _aliased(stage: Stage) -> list[Asked]:
    """Name a topic by a number that was never agreed on. MQTT 5.0, section 3.3.2.3.4."""

    def change(message: Publish) -> list[Publish]:
        alias = (TOPIC_ALIAS, (1).to_bytes(2))
        return [
            Publish(b"", message.payload, message.mid, message.flags, (*message.properties, alias))
        ]

    return stage.attacked(on_replies(change))


def _weaker(stage: Stage) -> list[Asked]:
    """Bring a reply at QoS 0, which has no packet identifier and wants no PUBACK."""

    def change(message: Publish) -> list[Publish]:
        return [Publish(message.topic, message.payload, 0, 0, message.properties)]

    link = stage.proxy.link(BOARD)
    asked = stage.attacked(on_replies(change)) + _next(stage)
    assert stage.proxy.link(BOARD) is link, "a PUBACK of nothing ended the connection"
    return asked


FLOWS = (
    Attack("connection cut in a packet", "sends half of one", _cut, ("agent.broker_losses",)),
    Attack("flood", "sends 3,000 messages at once", _flood, ("agent.replies_refused",)),
    Attack("topic alias", "names the topic by a number", _aliased, ("agent.messages_strange",)),
    Attack("QoS 0", "brings a reply without a number", _weaker, ("worker.answered",)),
)


PACKETS = (*BROKEN, *FLOWS)
