"""A hostile broker: a real mosquitto, and between it and its clients somebody who rewrites packets.

    agent, worker <--> HostileBroker <--> mosquitto <-- an operator who is not lied to

A rule sees every packet of every connection and says what is sent in its place: nothing, the same,
another one, several. Packets can also be made up and sent to whoever is connected.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread

from tests.attacks.mqtt5 import CONNECT, PUBACK, SUBACK, Packet, Publish, Reader, ack_of, client_id

UP, DOWN = "up", "down"  # to mosquitto, to the client
Rule = Callable[["Link", str, Packet], list[Packet]]  # what to send on in this direction
_CHUNK_BYTES = 65_536
_WAIT_S = 60.0
_FIRST_MADE_UP = 40_000  # mosquitto counts from 1


def honest(_link: "Link", _way: str, packet: Packet) -> list[Packet]:
    """Change nothing."""
    return [packet]


@dataclass(eq=False)
class Link:
    """One client's connection."""

    client: socket.socket
    server: socket.socket
    name: str = ""  # its client id
    made_up: set[int] = field(default_factory=set)  # packets that mosquitto knows nothing of
    ready: Event = field(default_factory=Event)  # the client has connected and subscribed
    _writing: Lock = field(default_factory=Lock)

    def send(self, way: str, *packets: Packet) -> None:
        """Send packets, real or made up."""
        self.raw(way, b"".join(packet.encode() for packet in packets))

    def raw(self, way: str, data: bytes) -> None:
        """Send bytes that may be no packet at all."""
        with self._writing, suppress(OSError):
            (self.server if way == UP else self.client).sendall(data)

    def give(self, *messages: Publish) -> None:
        """Have the client receive messages that nobody published; its PUBACKs go nowhere."""
        assert self.ready.wait(_WAIT_S), (
            f"{self.name} does not connect"
        )  # before, they are a breach
        for message in messages:
            mid = _FIRST_MADE_UP + len(self.made_up)
            self.made_up.add(mid)
            self.send(DOWN, replace(message, mid=mid).packet())

    def swallows(self, packet: Packet) -> bool:
        """Whether a client's packet answers one that was made up."""
        return packet.kind == PUBACK and ack_of(packet)[0] in self.made_up

    def cut(self) -> None:
        """End it without a word."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class HostileBroker:
    """Listens on a port of its own; set `rule` to begin an attack.

    Args:
        port: Where mosquitto is.
    """

    def __init__(self, port: int) -> None:
        self.rule: Rule = honest
        self._behind = port
        self._links: list[Link] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def link(self, part: str) -> Link:
        """The connection of the client with `part` in its name, once it is there."""
        give_up_s = time.monotonic() + _WAIT_S
        while time.monotonic() < give_up_s:
            for link in reversed(self._links):
                if part in link.name:
                    return link
            time.sleep(0.01)
        raise AssertionError(f"{part} is not connected")

    def serve(self) -> None:
        """Take connections until closed."""
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._behind))
            except OSError:
                return
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server)
            self._links.append(link)
            for way, source in ((UP, client), (DOWN, server)):
                Thread(target=self._carry, args=(link, way, source), daemon=True).start()

    def close(self) -> None:
        """End everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in list(self._links):
            link.cut()

    def _carry(self, link: Link, way: str, source: socket.socket) -> None:
        reader = Reader()
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                for packet in reader.feed(data):
                    if packet.kind == CONNECT:
                        link.name = client_id(packet)
                    if way == DOWN or not link.swallows(packet):
                        link.send(way, *self.rule(link, way, packet))
                    if way == DOWN and packet.kind == SUBACK:
                        link.ready.set()
        link.cut()
        with suppress(ValueError):
            self._links.remove(link)
        source.close()


@contextmanager
def hostile(port: int) -> Iterator[HostileBroker]:
    """A man in the middle in front of a mosquitto."""
    broker = HostileBroker(port)
    thread = Thread(target=broker.serve, daemon=True)
    thread.start()
    try:
        yield broker
    finally:
        broker.close()
        thread.join(_WAIT_S)
