"""What a man in the middle does to messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from tests.attacks.hostile import DOWN, UP, Link
from tests.attacks.mqtt5 import PUBLISH, Packet, Publish
from tests.attacks.stage import BOARD, WORKER

Change = Callable[[Publish], list[Publish]]


@dataclass(slots=True)
class Tamper:
    """A rule that changes messages on one way of one client, the first ones only or all.

    The rest passes, so that what must survive an attack has the chance to do so.
    """

    client: str
    way: str
    topic: bytes  # a part of it
    change: Change
    times: float = 1
    seen: list[Publish] = field(default_factory=list)

    def __call__(self, link: Link, way: str, packet: Packet) -> list[Packet]:
        fits = self.client in link.name and way == self.way and packet.kind == PUBLISH
        if not fits or len(self.seen) >= self.times:
            return [packet]
        message = Publish.parse(packet)
        if self.topic not in message.topic or not message.payload:
            return [packet]
        self.seen.append(message)
        return [changed.packet() for changed in self.change(message)]


def on_questions(change: Change, *, times: float = 1) -> Tamper:
    """Change questions as the worker receives them."""
    return Tamper(WORKER, DOWN, b"/ask/", change, times)


def on_replies(change: Change, *, times: float = 1) -> Tamper:
    """Change replies as the device receives them."""
    return Tamper(BOARD, DOWN, b"/answer", change, times)


def on_sent(change: Change, *, times: float = 1) -> Tamper:
    """Change questions as the device sends them, before mosquitto has them."""
    return Tamper(BOARD, UP, b"/ask/", change, times)


def payload(alter: Callable[[bytes], bytes]) -> Change:
    """Alter the sealed bytes."""
    return lambda message: [replace(message, payload=alter(message.payload))]


def topic(name: str) -> Change:
    """Bring it on another topic."""
    return lambda message: [replace(message, topic=name.encode())]


def flip(at: int) -> Callable[[bytes], bytes]:
    """Flip one bit of the byte at a place; a negative one counts from the end."""

    def alter(data: bytes) -> bytes:
        place = at % len(data)
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return alter


def lost(_message: Publish) -> list[Publish]:
    """Nothing arrives."""
    return []


def numbers() -> Iterator[int]:
    """Packet identifiers that mosquitto is not likely to use."""
    yield from range(50_000, 65_000)
