"""Which files boards need now, by what the signed metadata says."""

from collections.abc import Iterator
from pathlib import Path

from broker.fleet.errors import NotAFleetError
from broker.fleet.releases.shelf import Shelf
from broker.fleet.releases.stock import Stock
from broker.wire.release import PackagePlan, Rollout
from broker.wire.vouched import ROLLOUT


def needed(shelf: Shelf, stock: Stock) -> list[str]:
    """The digests of plans, files and patches that rollouts choose: plans first, then the newest.

    Raises:
        NotAFleetError: there are no releases, or a file is missing or damaged.
    """
    chosen = sorted(rollouts_of(shelf), key=lambda each: each.number, reverse=True)
    plans = list(dict.fromkeys(choice.sha256 for each in chosen for choice in each.choices))
    contents = (content for plan in plans for content in _contents(stock.path(plan)))
    return list(dict.fromkeys([*plans, *contents]))


def rollouts_of(shelf: Shelf) -> list[Rollout]:
    """All that the online key has signed.

    Raises:
        NotAFleetError: there are no releases, or a file is damaged.
    """
    signed = shelf.rollouts().signed.targets.values()
    return [Rollout.read(target.custom[ROLLOUT]) for target in signed if target.custom]


def contents_of(stock: Stock, plan: str) -> list[str]:
    """The digests of a plan, its files and its patches; nothing, if the plan is not in stock.

    Raises:
        NotAFleetError: it is damaged.
    """
    return [plan, *_contents(stock.path(plan))] if stock.has(plan) else []


def _contents(path: Path) -> Iterator[str]:
    try:
        plan = PackagePlan.read(path.read_bytes())
    except ValueError as error:
        raise NotAFleetError(f"{path}: {error}. Restore it from a backup") from error
    for each in plan.files:
        yield from (delta.patch.sha256 for delta in each.deltas)
        yield each.content.sha256
