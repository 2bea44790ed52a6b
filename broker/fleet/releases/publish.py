"""Fills the broker with what boards need: each block once, retained, whatever the fleet's size.

    plans --contents--> what fits into the budget is retained, the newest release first
                        what does not is served on request: see `serve`

The broker keeps in memory what it retains, and writes all of it to its disk every minute.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from broker.fleet.releases.stock import Stock
from broker.wire.release import BLOCK_BYTES, PackagePlan
from broker.wire.session import Message
from broker.wire.topics import FleetId, release_block

RETAINED_BYTES: Final = 64 * 1024 * 1024  # that the broker holds of releases, by default
EXPIRY_S: Final = 90 * 86_400  # of a block at the broker, as of the rollout that needs it


def contents_of(plan: PackagePlan) -> Iterator[str]:
    """The files and patches of a plan, by digest, in the order in which boards ask for them."""
    for each in plan.files:
        yield from (delta.patch.sha256 for delta in each.deltas)
        yield each.content.sha256


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
