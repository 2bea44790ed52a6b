"""Where each board of a group is with a release, by what the boards themselves have signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.fleet.releases.waves import Standing
from broker.wire.release import Rollout
from broker.wire.roster import Roster
from broker.wire.update_report import Progress, UpdateReport

EVERYBODY: Final = "all"  # the group of a device whose settings name none
_WORKING: Final = frozenset(("downloading", "testing", "watching"))


@dataclass(frozen=True, slots=True)
class Board:
    """One board that a release concerns."""

    device: str
    turn: bool  # by the list and the percentage of now
    standing: Standing
    progress: Progress | None  # None: it has said nothing of this package


def boards_of(
    rollout: Rollout,
    *,
    group: str,
    package: str,
    roster: Roster,
    reports: Mapping[str, UpdateReport],
) -> list[Board]:
    """All boards that a release concerns, by name.

    Concerned is who is in the fleet, and, as it says itself, in the group and has the package.
    Who has never said anything is taken to be in the group of all, and in no other.
    """
    found = []
    for device, enrolled in sorted(roster.devices.items()):
        report = reports.get(device)
        if enrolled.revoked or not _concerned(device, report, rollout, group, package):
            continue
        progress = None if report is None else report.of(package)
        standing = Standing.SILENT if progress is None else standing_of(progress, rollout)
        found.append(Board(device, rollout.includes(device), standing, progress))
    return found


def standing_of(progress: Progress, rollout: Rollout) -> Standing:
    """Where a board is with a release. Done is only who runs what was released."""
    if progress.release != rollout.release:
        return Standing.WAITING
    if progress.state == "done":
        released = {choice.sha256 for choice in rollout.choices}
        true = progress.digest in released and progress.running == progress.digest
        return Standing.DONE if true else Standing.FAILED
    if progress.state in _WORKING:
        return Standing.WORKING
    if progress.state in ("failed", "stopped"):
        return Standing(progress.state)
    return Standing.WAITING


def _concerned(
    device: str, report: UpdateReport | None, rollout: Rollout, group: str, package: str
) -> bool:
    if report is None:
        return group == EVERYBODY or device in rollout.devices
    progress = report.of(package)
    if group not in report.groups or progress is None:
        return False
    return progress.release <= rollout.release  # else it follows a later one, of another group
