"""All metadata as retained messages, and what of it the broker need not hold any longer.

A board may be in the midst of the version before the newest. What is older than that is over.
"""

from collections.abc import Iterator

from broker.fleet.releases.shelf import Shelf
from broker.wire import parts
from broker.wire.session import Message
from broker.wire.topics import FleetId, release_metadata


def messages(shelf: Shelf, fleet: FleetId) -> Iterator[Message]:
    """What the broker shall hold, in the order in which it must come: the timestamp last.

    Raises:
        NotAFleetError: there are no releases, or a file is damaged.
    """
    for name in shelf.current():
        for number, payload in enumerate(parts.split(shelf.data(name))):
            yield Message(release_metadata(fleet, name, number), payload, retain=True)


def over(shelf: Shelf, fleet: FleetId) -> Iterator[Message]:
    """What takes from the broker what no board asks for any more. Then `shelf.forget` it.

    Raises:
        NotAFleetError: there are no releases, or a file is damaged.
    """
    for name in shelf.superseded():
        for number in range(len(parts.split(shelf.data(name)))):
            yield Message(release_metadata(fleet, name, number), b"", retain=True)
