"""What a real broker retains of releases: put there, and taken away, by whoever can publish."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue

from broker.wire import parts
from broker.wire.session import Acknowledged, Address, Event, Message, Online, Session
from broker.wire.topics import FleetId, release_block, release_metadata
from tests.line import PATIENCE_S

Files = Mapping[str, bytes]


@dataclass
class Publisher:
    """A connection that waits until the broker has what it sends."""

    session: Session
    events: "SimpleQueue[Event]"

    def send(self, messages: list[Message]) -> None:
        """Publish."""
        sent = {self.session.publish(message) for message in messages}
        while sent:
            event = self.events.get(timeout=PATIENCE_S)
            if isinstance(event, Acknowledged):
                sent.discard(event.mid)


@dataclass
class Retained:
    """What the broker holds of one fleet's releases."""

    publisher: Publisher
    fleet: FleetId
    names: set[str] = field(default_factory=set)  # of metadata that it holds

    def put(self, files: Files) -> None:
        """Have it hold files of metadata."""
        self.names |= files.keys()
        self.publisher.send(
            [
                Message(release_metadata(self.fleet, name, number), payload, retain=True)
                for name, data in files.items()
                for number, payload in enumerate(parts.split(data))
            ]
        )

    def put_blocks(self, blocks: Files) -> None:
        """Have it hold blocks under these names, whatever is in them."""
        topics = {release_block(self.fleet, name): blocks[name] for name in blocks}
        self.publisher.send([Message(topic, topics[topic], retain=True) for topic in topics])

    def take_away(self, *names: str) -> None:
        """Have it hold nothing of these files."""
        self.names.difference_update(names)
        topics = [release_metadata(self.fleet, name) for name in names]
        self.publisher.send([Message(topic, b"", retain=True) for topic in topics])


@contextmanager
def publishing(address: Address) -> Iterator[Publisher]:
    """A connection that is there."""
    events: SimpleQueue[Event] = SimpleQueue()
    with Session(address, subscriptions=(), sink=events.put) as session:
        while not isinstance(events.get(timeout=PATIENCE_S), Online):
            pass
        yield Publisher(session, events)
