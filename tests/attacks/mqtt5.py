"""As much of MQTT 5 as a man in the middle needs: packets taken apart, changed, put together.

first byte | remaining length | variable header | payload          MQTT 5.0, section 2.1
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

EXPIRY, RESPONSE_TOPIC, CORRELATION = 0x02, 0x08, 0x09
ASSIGNED_CLIENT_ID, SERVER_KEEP_ALIVE, RECEIVE_MAXIMUM = 0x12, 0x13, 0x21
TOPIC_ALIAS, MAXIMUM_PACKET = 0x23, 0x27

_TWO_BYTES = {SERVER_KEEP_ALIVE, RECEIVE_MAXIMUM, 0x22, TOPIC_ALIAS}
_FOUR_BYTES = {EXPIRY, 0x11, 0x18, MAXIMUM_PACKET}
_STRINGS = {0x03, RESPONSE_TOPIC, CORRELATION, ASSIGNED_CLIENT_ID, 0x15, 0x16, 0x1A, 0x1C, 0x1F}
_VARIABLE, _PAIR = 0x0B, 0x26

Properties = tuple[tuple[int, bytes], ...]  # identifier, its value as it stands on the wire


@dataclass(frozen=True, slots=True)
class Packet:
    """Any packet."""

    first: int  # type and flags
    body: bytes = field(repr=False)

    @property
    def kind(self) -> int:
        return self.first >> 4

    def encode(self) -> bytes:
        return bytes([self.first]) + varint(len(self.body)) + self.body


@dataclass(frozen=True, slots=True)
class Publish:
    """A PUBLISH packet. MQTT 5.0, section 3.3."""

    topic: bytes
    payload: bytes = field(repr=False)
    mid: int = 0
    flags: int = 0x02  # DUP, QoS, RETAIN; here QoS 1
    properties: Properties = ()

    @classmethod
    def parse(cls, packet: Packet) -> "Publish":
        topic, at = _string(packet.body, 0)
        mid = 0
        if packet.first & 0x06:
            mid, at = int.from_bytes(packet.body[at : at + 2]), at + 2
        properties, at = read_properties(packet.body, at)
        return cls(topic, packet.body[at:], mid, packet.first & 0x0F, properties)

    def packet(self) -> Packet:
        mid = self.mid.to_bytes(2) if self.flags & 0x06 else b""
        head = string(self.topic) + mid + write_properties(self.properties)
        return Packet(PUBLISH << 4 | self.flags, head + self.payload)

    def get(self, name: int) -> bytes:
        """A string property's content."""
        return dict(self.properties)[name][2:]

    def put(self, name: int, value: bytes) -> "Publish":
        """The same with a string property set."""
        return replace(
            self.without(name), properties=(*self.without(name).properties, (name, string(value)))
        )

    def without(self, *names: int) -> "Publish":
        """The same without some properties."""
        return replace(
            self, properties=tuple(each for each in self.properties if each[0] not in names)
        )


class Reader:
    """Cuts a stream into packets."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        self._data += data
        while (packet := self._next()) is not None:
            yield packet

    def _next(self) -> Packet | None:
        try:
            length, at = read_varint(self._data, 1)
        except IndexError:
            return None
        if len(self._data) < at + length:
            return None
        packet = Packet(self._data[0], self._data[at : at + length])
        self._data = self._data[at + length :]
        return packet


def client_id(connect: Packet) -> str:
    """Who a CONNECT packet says it is. MQTT 5.0, section 3.1.3.1."""
    _, at = _string(connect.body, 0)
    _, at = read_properties(connect.body, at + 4)  # version, flags, keep alive
    name, _ = _string(connect.body, at)
    return name.decode()


def ack_of(packet: Packet) -> tuple[int, int]:
    """The packet identifier and the reason code of a PUBACK. MQTT 5.0, section 3.4.2."""
    return int.from_bytes(packet.body[:2]), packet.body[2] if len(packet.body) > 2 else 0


def puback(mid: int, code: int = 0) -> Packet:
    return Packet(PUBACK << 4, mid.to_bytes(2) + bytes([code]))


def suback(packet: Packet, code: int) -> Packet:
    """A SUBACK with another reason code for every subscription. MQTT 5.0, section 3.9.3."""
    _, at = read_properties(packet.body, 2)
    return Packet(packet.first, packet.body[:at] + bytes([code]) * (len(packet.body) - at))


def connack(packet: Packet, *properties: tuple[int, bytes], code: int | None = None) -> Packet:
    """A CONNACK with other properties, or another reason code. MQTT 5.0, section 3.2.2."""
    told, _ = read_properties(packet.body, 2)
    names = {name for name, _ in properties}
    kept = tuple(each for each in told if each[0] not in names)
    head = packet.body[:2] if code is None else bytes([0, code])
    return Packet(packet.first, head + write_properties((*kept, *properties)))


def disconnect(code: int) -> Packet:
    return Packet(DISCONNECT << 4, bytes([code, 0]))


def string(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def varint(number: int) -> bytes:
    """MQTT 5.0, section 1.5.5."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return number, at


def read_properties(data: bytes, at: int) -> tuple[Properties, int]:
    length, at = read_varint(data, at)
    end, found = at + length, []
    while at < end:
        name, start = data[at], at + 1
        at = _after(name, data, start)
        found.append((name, data[start:at]))
    return tuple(found), end


def write_properties(properties: Properties) -> bytes:
    text = b"".join(bytes([name]) + value for name, value in properties)
    return varint(len(text)) + text


def _after(name: int, data: bytes, at: int) -> int:
    if name in _TWO_BYTES:
        return at + 2
    if name in _FOUR_BYTES:
        return at + 4
    if name == _VARIABLE:
        return read_varint(data, at)[1]
    if name in _STRINGS:
        return _string(data, at)[1]
    if name == _PAIR:
        return _string(data, _string(data, at)[1])[1]
    return at + 1


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(data[at : at + 2])
    return data[at + 2 : end], end
