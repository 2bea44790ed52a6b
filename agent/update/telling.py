"""What the operator hears of a board's updates: one report, told again when it changes.

It is retained at the broker, and told again whenever the broker is back, so what is lost heals.
"""

from collections.abc import Callable, Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from broker.wire.topics import DeviceId, FleetId
from broker.wire.update_report import Progress, UpdateReport, plain, seal_report

_STEP: Final = 0.05  # of a download, between two reports
_MOST: Final = 64  # packages


class Telling:
    """The report, and what the broker has of it. Use from one thread.

    Args:
        fleet: Whose.
        device: Who.
        key: That signs it.
        session: Rises with each start of the agent.
        groups: Whose rollouts the board follows.
        now_s: The board's clock, Unix time.
    """

    def __init__(  # noqa: PLR0913 - all its parts, by name
        self,
        *,
        fleet: FleetId,
        device: DeviceId,
        key: Ed25519PrivateKey,
        session: int,
        groups: tuple[str, ...],
        now_s: Callable[[], float],
    ) -> None:
        self._key, self._now_s = key, now_s
        self._report = UpdateReport(
            fleet=fleet, device=device, session=session, count=1, groups=groups, packages=()
        )
        self._changed = False

    def of(self, package: str) -> Progress:
        """What was last told of a package."""
        return self._report.of(package) or Progress(package=package, state="idle")

    def tell(self, progress: Progress) -> None:
        """Note how a package stands; small steps of a download are not worth a message."""
        before = self.of(progress.package)
        told = replace(progress, reason=plain(progress.reason), since_s=before.since_s)
        if told == before and self._report.of(progress.package) is not None:
            return
        if told.state != before.state or told.digest != before.digest:
            told = replace(told, since_s=max(0.0, self._now_s()))
        elif replace(told, share=before.share) == before and told.share < before.share + _STEP:
            return
        others = (each for each in self._report.packages if each.package != progress.package)
        self._say(sorted((*others, told), key=lambda each: each.package))

    def damaged(self, copies: int) -> None:
        """Note that so many more copies of the floor were found damaged."""
        self._report = replace(self._report, damaged=self._report.damaged + copies)
        self._changed = True

    def again(self) -> None:
        """The broker may have lost it."""
        self._changed = bool(self._report.packages or self._report.damaged)

    def sealed(self) -> bytes | None:
        """The report to publish; None if the broker has it."""
        if not self._changed:
            return None
        self._report = replace(self._report, count=self._report.count + 1)
        return seal_report(self._report, self._key)

    def published(self) -> None:
        """It is on its way."""
        self._changed = False

    def _say(self, packages: Iterable[Progress]) -> None:
        self._report = replace(self._report, packages=tuple(packages)[:_MOST])
        self._changed = True
