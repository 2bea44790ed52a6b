"""Fills the broker with what boards need: each block once, retained, whatever the fleet's size.

    what rollouts choose --the newest first--> fits into the budget: retained at the broker
                                               does not fit: served on request, see `serve`

    DIR/releases/retained    what the broker took from us, in order, and when
    DIR/releases/budget      how many bytes of releases it shall hold, if somebody said so

Nobody can ask a broker which topics it retains without being sent all of it. So we keep a list, and
look at the last block of it: where that is, all that came before is too. The broker keeps in memory
what it retains, and writes it to its disk every minute.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import locked, store
from broker.fleet.releases.messages import messages, over
from broker.fleet.releases.needed import needed
from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.shelf import RELEASES, Shelf
from broker.fleet.releases.stock import Stock
from broker.wire.release import BLOCK_BYTES
from broker.wire.session import Message
from broker.wire.topics import FleetId, parse_release_block, release_block, release_metadata

RETAINED_BYTES: Final = 64 * 1024 * 1024  # that the broker holds of releases, by default
EXPIRY_S: Final = 90 * 86_400  # of a block at the broker, as of the rollout that needs it
_LEDGER: Final = "retained"
_BUDGET: Final = "budget"
_TIMESTAMP: Final = "timestamp.json"

Progress = Callable[[int, int], None]  # blocks that were sent, and in all


@dataclass(frozen=True, slots=True)
class Releases:
    """Whose they are."""

    folder: Path  # the operator's
    fleet: FleetId


@dataclass(frozen=True, slots=True)
class Filled:
    """What was done."""

    published: int  # blocks
    published_bytes: int
    withdrawn: int  # blocks
    retained: frozenset[str] = field(repr=False)  # blocks that the broker holds now
    on_request: int  # blocks that are beyond the budget


def fill(
    outlet: Outlet, releases: Releases, *, budget_bytes: int | None = None, progress: Progress
) -> Filled:
    """Have the broker hold what boards need, and no more of what was released before.

    Args:
        outlet: The connection.
        releases: Whose.
        budget_bytes: What the broker shall hold of it; None: as much as was said last.
        progress: Told while blocks are sent.

    Raises:
        BrokerUnavailableError: it is not there, or takes nothing any more.
        RulesRefusedError: it does not take us for one who releases.
        NotAFleetError: there are no releases, or a file of them is missing or damaged.
        OSError: the disk failed.
    """
    folder, fleet = releases.folder, releases.fleet
    stock, shelf = Stock(folder), Shelf(folder)
    contents = needed(shelf, stock)
    most_bytes = budget_of(folder) if budget_bytes is None else budget_bytes
    wanted = retained(stock, contents, most_bytes)
    every = {name for sha256 in contents for name in stock.names(sha256)}
    ledger = Ledger(folder)
    known = _holds(outlet, fleet, ledger)
    held = ledger.read(time.time()) if known else {}
    lacking = [name for name in wanted if name not in held]
    gone = [name for name in held if name not in set(wanted)]
    sent: list[str] = []

    def tell(message: Message) -> None:
        sent.append(str(parse_release_block(message.topic)))
        progress(len(sent), len(lacking))

    before = outlet.sent_bytes
    outlet.publish(block_messages(stock, fleet, lacking), tell)
    published_bytes = outlet.sent_bytes - before
    kept = {name: at_s for name, at_s in held.items() if name in set(wanted)}
    ledger.write(kept | dict.fromkeys(sent, time.time()))
    publish_metadata(outlet, releases, known=known)
    outlet.publish(withdrawals(fleet, gone), lambda _message: None)
    if damaged := len(lacking) - len(sent):  # the rest is there; boards wait for these in vain
        raise NotAFleetError(
            f"{damaged} blocks of what is released are damaged below {folder / RELEASES}: "
            "restore it from a backup, or release the package anew"
        )
    return Filled(
        len(sent), published_bytes, len(gone), frozenset(wanted), len(every) - len(wanted)
    )


def budget_of(folder: Path) -> int:
    """How many bytes of releases the broker shall hold.

    Raises:
        NotAFleetError: the file that says so is damaged.
    """
    path = folder / RELEASES / _BUDGET
    try:
        return int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return RETAINED_BYTES
    except ValueError:
        raise NotAFleetError(
            f"{path}: not a number of bytes: 'firstline fleet serve --retain-mb' writes it anew"
        ) from None


def keep_budget(folder: Path, budget_bytes: int) -> None:
    """Note how many bytes of releases the broker shall hold from now on.

    Raises:
        OSError: the disk refused.
    """
    store(folder / RELEASES / _BUDGET, f"{budget_bytes}\n".encode())


class Ledger:
    """What the broker took from us.

    Args:
        folder: The operator's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / RELEASES / _LEDGER

    def read(self, now_s: float) -> dict[str, float]:
        """Names of blocks in the order in which they were published, and when.

        What is half over is left out, so that it is published again in time.
        """
        if not self._path.exists():
            return {}
        lines = (line.split() for line in self._path.read_text(encoding="ascii").splitlines())
        held = {name: float(at_s) for name, at_s in lines}
        return {name: at_s for name, at_s in held.items() if now_s < at_s + EXPIRY_S / 2}

    def write(self, held: dict[str, float]) -> None:
        """Note what it holds now."""
        lines = (f"{name} {at_s:.0f}\n" for name, at_s in held.items())
        store(self._path, "".join(lines).encode())

    def last(self) -> str:
        """The block that was published last; empty: none."""
        return next(reversed(self.read(0.0)), "")


def retained(stock: Stock, contents: Iterable[str], budget_bytes: int) -> list[str]:
    """Which blocks the broker shall retain; of a file all or none.

    Raises:
        NotAFleetError: a file is not in stock.
    """
    names: dict[str, None] = {}
    for sha256 in contents:
        more = [name for name in stock.names(sha256) if name not in names]
        if (len(names) + len(more)) * BLOCK_BYTES <= budget_bytes:
            names.update(dict.fromkeys(more))
    return list(names)


def block_messages(
    stock: Stock, fleet: FleetId, names: Iterable[str], *, expiry_s: int = EXPIRY_S
) -> Iterator[Message]:
    """Blocks as the broker shall hold them. What is damaged here is left out.

    Raises:
        OSError: the disk failed.
    """
    for name in names:
        data = stock.block(name)
        if data:
            yield Message(release_block(fleet, name), data, expiry_s=expiry_s, retain=True)


def withdrawals(fleet: FleetId, names: Iterable[str]) -> Iterator[Message]:
    """Have the broker forget blocks: MQTT 5.0, section 3.3.1.3."""
    for name in names:
        yield Message(release_block(fleet, name), b"", retain=True)


def _holds(outlet: Outlet, fleet: FleetId, ledger: Ledger) -> bool:
    last = ledger.last()
    return bool(last) and bool(outlet.ask(release_block(fleet, last)))


def publish_metadata(outlet: Outlet, releases: Releases, *, known: bool = True) -> None:
    """Have the broker hold what is signed, and leave its blocks as they are.

    Args:
        outlet: The connection.
        releases: Whose.
        known: Whether the broker may have it already.

    Raises:
        BrokerUnavailableError: it is not there, or takes nothing any more.
        RulesRefusedError: it does not take us for one who releases.
        NotAFleetError: there are no releases, or a file of them is missing or damaged.
    """
    shelf, topic = Shelf(releases.folder), release_metadata(releases.fleet, _TIMESTAMP)
    found = _signed(releases, shelf)
    if known and outlet.ask(topic) == found[-1].payload:
        return
    outlet.publish(found, lambda _message: None)
    while found != (newer := _signed(releases, shelf)):  # somebody signed, and was faster than we
        outlet.publish(newer, lambda _message: None)
        found = newer
    outlet.publish(over(shelf, releases.fleet), lambda _message: None)
    shelf.forget(shelf.superseded())


def _signed(releases: Releases, shelf: Shelf) -> list[Message]:
    with locked(releases.folder):  # nobody signs while we read
        return list(messages(shelf, releases.fleet))
