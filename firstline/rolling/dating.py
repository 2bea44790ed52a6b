"""What is signed of releases, dated now: a broker that holds it lets boards know that it is new."""

from dataclasses import dataclass, field
from pathlib import Path

from broker.fleet.folder import FLEET, FleetCard
from broker.fleet.releases.messages import messages, over
from broker.fleet.releases.metadata import ends_s
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.shelf import Shelf
from broker.wire.session import Message
from broker.wire.topics import FleetId


@dataclass(frozen=True, slots=True)
class Dated:
    """What the broker shall hold, and how long boards take it."""

    shelf: Shelf
    messages: tuple[Message, ...] = field(repr=False)
    ends_s: int | None  # Unix time; None: there are no releases

    def forget(self) -> None:
        """Once the broker has it: remove what is over."""
        if self.ends_s is not None:
            self.shelf.forget(self.shelf.superseded())


def dated(folder: Path, *, now_s: float) -> Dated:
    """Sign anew what is signed online; nothing, where there are no releases.

    Raises:
        FleetError: a file is damaged, or a key is missing.
    """
    repository = Repository(folder)
    shelf = repository.shelf
    if not shelf.exists:
        return Dated(shelf, (), None)
    repository.refresh(now_s=now_s)
    fleet = FleetId(FleetCard.read((folder / FLEET).read_bytes()).fleet)
    told = (*messages(shelf, fleet), *over(shelf, fleet))
    return Dated(shelf, told, int(ends_s(shelf.timestamp())))
