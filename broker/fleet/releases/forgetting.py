"""Lets go of releases that nobody is offered any more and no board runs.

    vouched plans  -  what rollouts choose  -  what boards say that they run  =  what may go

    offline keys   vouch for it no longer: a stolen online key cannot bring it back
    DIR/releases   its files go, unless another release has them too
    broker         loses its blocks when it is filled the next time

What a board has not said anything about for long is what it said last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from broker.fleet.errors import FleetError
from broker.fleet.releases.ledger import Ledger
from broker.fleet.releases.needed import contents_of, rollouts_of
from broker.fleet.releases.stock import Stock
from broker.wire.roster import Roster
from broker.wire.update_report import UpdateReport

_UNDER_WAY: Final = frozenset(("downloading", "testing", "watching"))


@dataclass(frozen=True, slots=True)
class Old:
    """Releases that no rollout chooses."""

    free: Mapping[str, str] = field(default_factory=dict)  # that may go: SHA-256 by path
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by path: boards that run it


def old_releases(
    ledger: Ledger, package: str | None, reports: Mapping[str, UpdateReport], roster: Roster
) -> Old:
    """What is old, of one package or of all.

    Raises:
        NotAFleetError: there are no releases, or a file is damaged.
    """
    vouched = ledger.repository.vouched("" if package is None else f"{package}/")
    rollouts = rollouts_of(ledger.repository.shelf)
    rollouts += [course.rollout for course in ledger.courses.all()]  # what is about to be signed
    chosen = {choice.sha256 for rollout in rollouts for choice in rollout.choices}
    old = {path: sha256 for path, sha256 in vouched.items() if sha256 not in chosen}
    runners = _runners(reports, roster)
    held = {path: runners[sha256] for path, sha256 in old.items() if sha256 in runners}
    return Old({path: old[path] for path in old if path not in held}, held)


def forget(ledger: Ledger, old: Old, *, passphrase: str | None, now_s: float) -> int:
    """Let go of what may go; return how many files went.

    Raises:
        PassphraseError: the keys are locked, and this passphrase, or none, does not open them.
        FleetError: other people must sign too, or the disk refused.
        OSError: the disk refused.
    """
    repository = ledger.repository
    stock = Stock(repository.fleet)
    gone = {sha256 for plan in old.free.values() for sha256 in contents_of(stock, plan)}
    step = repository.vouch({}, gone=old.free, passphrase=passphrase, now_s=now_s)
    if step.missing:
        raise FleetError(
            f"{step.draft} lacks {step.missing} signatures of other people; when it is in force, "
            "do this again"
        )
    ledger.noted_forgetting(sorted(old.free), now_s=now_s)
    kept = {each for plan in repository.vouched("").values() for each in contents_of(stock, plan)}
    return stock.drop(gone - kept)


def _runners(reports: Mapping[str, UpdateReport], roster: Roster) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for device, report in reports.items():
        enrolled = roster.devices.get(device)
        if enrolled is None or enrolled.revoked:
            continue
        for sha256 in _run_by(report):
            found.setdefault(sha256, set()).add(device)
    return {sha256: tuple(sorted(devices)) for sha256, devices in found.items()}


def _run_by(report: UpdateReport) -> Iterable[str]:
    for progress in report.packages:
        if progress.running:
            yield progress.running
        if progress.digest and progress.state in _UNDER_WAY:
            yield progress.digest
