"""Sees releases through, over whatever connection the operator has.

    reports of boards --hear--> proven ones --tick--> waves go on, signed

Whoever is connected publishes what is signed: see `following`.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from broker.fleet.releases.courses import Course
from broker.fleet.releases.publish import Releases
from broker.fleet.releases.reports import Reports
from broker.fleet.releases.rollouts import Rollouts
from broker.fleet.releases.standings import Board, boards_of
from broker.wire import topics
from broker.wire.session import Received
from broker.wire.topics import DeviceId, FleetId, parse_device_update


class Steward:
    """One fleet's releases, while somebody is connected for them.

    Args:
        fleet: The operator's folder.
        who: Stands in the log for what is done through this object.
        now_s: Unix time.
    """

    def __init__(self, fleet: Path, *, who: str, now_s: Callable[[], float] = time.time) -> None:
        self.rollouts = Rollouts(fleet, who=who)
        self.reports = Reports(self.rollouts.ledger.folder)
        self._fleet, self._now_s = fleet, now_s

    @property
    def releases(self) -> Releases:
        """What there is to publish."""
        return Releases(self._fleet, FleetId(self.rollouts.roster.fleet))

    @property
    def subscriptions(self) -> Sequence[str]:
        """What it needs to hear."""
        return [topics.device_update(FleetId(self.rollouts.roster.fleet), DeviceId("+"))]

    def hear(self, message: Received) -> bool:
        """Take what a board says; false: it is something else. What is not true is counted."""
        if parse_device_update(message.topic) is None:
            return False
        self.reports.take(message.topic, message.payload, self.rollouts.roster)
        return True

    def tick(self) -> list[str]:
        """Let waves go on, keep what was heard; what happened, in words.

        Raises:
            FleetError: a file is damaged, or the disk refused.
            OSError: the disk refused.
        """
        self.reports.keep()
        return self.rollouts.go_on(self.reports.latest, now_s=self._now_s())

    def settle(self) -> None:
        """Sign what a command that was cut short did not.

        Raises:
            FleetError: it cannot be signed.
        """
        if self.rollouts.repository.shelf.exists:
            self.rollouts.ledger.settle(now_s=self._now_s())

    def boards(self, course: Course) -> list[Board]:
        """Where each board is with a release."""
        return boards_of(
            course.rollout,
            group=course.group,
            package=course.package,
            roster=self.rollouts.roster,
            reports=self.reports.latest,
        )
