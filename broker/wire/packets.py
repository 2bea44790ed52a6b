"""The two MQTT packets that every question costs, taken apart and put together in one go.

    bytes --frame--> first byte, where its body is --publish | puback--> what it says
    Message --properties--> what goes with it beside its payload

paho does all this too, with tables and objects for each packet that cost as much as a seal.
"""

from dataclasses import dataclass, field

from broker.wire.link import Message

PUBLISH, PUBACK = 0x30, 0x40  # MQTT 5.0, section 2.1.2, in a packet's first byte
_TYPE, _QOS = 0xF0, 0x06
_MOST_LENGTH_BYTES = 4  # section 1.5.5
_EXPIRY, _ANSWER_TOPIC, _CORRELATION, _USER = 0x02, 0x08, 0x09, 0x26  # section 3.3.2.3
_FORMAT, _CONTENT_TYPE, _SUBSCRIPTION, _ALIAS = 0x01, 0x03, 0x0B, 0x23
_NUMBER_BYTES = {_FORMAT: 1, _EXPIRY: 4, _ALIAS: 2}
_STRINGS = {_CONTENT_TYPE: 1, _ANSWER_TOPIC: 1, _CORRELATION: 1, _USER: 2}
_MANY = {_USER, _SUBSCRIPTION}  # that one packet may have more than once
_SHORT = 2  # bytes of a length, of a packet's number


class PacketError(ValueError):
    """A packet says what none may say."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a packet lies among the bytes that have come."""

    first: int
    start: int  # of its body
    end: int  # may be behind what has come so far


@dataclass(frozen=True, slots=True)
class Publish:
    """What a PUBLISH says."""

    topic: str
    payload: bytes = field(repr=False)
    mid: int  # 0: it came at QoS 0
    correlation: bytes
    user: dict[str, str]


def frame(data: bytes | bytearray, at: int) -> Frame | None:
    """Find the packet that begins at `at`; None: its length has not come yet.

    Raises:
        PacketError: its length is longer than a length can be.
    """
    length, shift = 0, 0
    for place in range(at + 1, min(len(data), at + 1 + _MOST_LENGTH_BYTES)):
        byte = data[place]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return Frame(data[at], place + 1, place + 1 + length)
        shift += 7
    if len(data) - at > _MOST_LENGTH_BYTES:
        raise PacketError("a length without end")
    return None


def publish(first: int, body: bytes) -> Publish:
    """Read a PUBLISH of QoS 0 or 1. MQTT 5.0, section 3.3.

    Raises:
        PacketError: it is none.
    """
    name, at = _string(body, 0)
    mid = 0
    if first & _QOS:
        mid, at = _number(body, at, _SHORT)
        if not mid:
            raise PacketError("a packet without its number")
    length, at = _varint(body, at)
    end = at + length
    if end > len(body):
        raise PacketError("properties are longer than their packet")
    try:
        correlation, user = _properties(body[at:end])
        return Publish(name.decode(), body[end:], mid, correlation, user)
    except UnicodeDecodeError:
        raise PacketError("a name that is no text") from None


def puback(body: bytes) -> tuple[int, int]:
    """Read a PUBACK: the packet's number, and the reason code. MQTT 5.0, section 3.4.

    Raises:
        PacketError: it is none.
    """
    mid, at = _number(body, 0, _SHORT)
    return mid, body[at] if len(body) > at else 0


def properties(message: Message) -> bytes:
    """What goes with a message beside its payload, as a PUBLISH has it."""
    packed = b""
    if message.expiry_s is not None:
        packed += bytes([_EXPIRY]) + message.expiry_s.to_bytes(_NUMBER_BYTES[_EXPIRY], "big")
    if message.answer_topic:
        packed += bytes([_ANSWER_TOPIC]) + _packed(message.answer_topic.encode())
    if message.correlation:
        packed += bytes([_CORRELATION]) + _packed(message.correlation)
    return _length(len(packed)) + packed


def is_plain(first: int) -> bool:
    """Whether a packet on its way out may travel together with others: nothing follows from it."""
    return first & _TYPE == PUBACK or (first & _TYPE == PUBLISH and first & _QOS != 0)


def _properties(data: bytes) -> tuple[bytes, dict[str, str]]:
    at, seen = 0, set()
    correlation, user = b"", {}
    while at < len(data):
        number = data[at]
        at += 1
        if number in seen and number not in _MANY:
            raise PacketError("one property twice")
        seen.add(number)
        if number == _CORRELATION:
            correlation, at = _string(data, at)
        elif number == _USER:
            name, at = _string(data, at)
            value, at = _string(data, at)
            user[name.decode()] = value.decode()
        else:
            at = _behind(data, at, number)
    return correlation, user


def _behind(data: bytes, at: int, number: int) -> int:
    """Where a property that nobody here reads ends."""
    if number in _NUMBER_BYTES:
        return _number(data, at, _NUMBER_BYTES[number])[1]
    if number in _STRINGS:
        return _string(data, at)[1]
    if number == _SUBSCRIPTION:
        return _varint(data, at)[1]
    raise PacketError("a property that is none")


def _number(data: bytes, at: int, size: int) -> tuple[int, int]:
    end = at + size
    if end > len(data):
        raise PacketError("a packet is cut short")
    return int.from_bytes(data[at:end], "big"), end


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = _number(data, at, _SHORT)
    end = at + length
    if end > len(data):
        raise PacketError("a packet is cut short")
    return data[at:end], end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(_MOST_LENGTH_BYTES):
        if at + place >= len(data):
            break
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return number, at + place + 1
    raise PacketError("a length without end")


def _packed(data: bytes) -> bytes:
    return len(data).to_bytes(_SHORT, "big") + data


def _length(number: int) -> bytes:
    packed = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)
    return bytes(packed)
