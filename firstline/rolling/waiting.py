"""Waits for a release: shows each board as it goes, and lets the waves go on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from broker.fleet.releases.courses import Course
from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.publish import publish_metadata
from broker.fleet.releases.serve import Budget, Server
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import Address
from firstline.console import note
from firstline.exits import CommandError, ExitCode
from firstline.rolling import view
from firstline.rolling.following import LOOK_S, Following, subscriptions
from firstline.rolling.steward import Steward
from firstline.serving import only_one

if TYPE_CHECKING:
    from rich.table import Table

_FRAMES_PER_S: Final = 4


def wait_for(
    steward: Steward,
    course: Course,
    address: Callable[[], Address],
    *,
    stopped: Callable[[], bool],
) -> Course:
    """Follow a release to its end; the release as it is then.

    Where nobody serves the fleet, it is done here; else what the other one does is shown.

    Args:
        steward: The fleet's releases.
        course: Which of them.
        address: Who serves, at the broker.
        stopped: Whether to give up.

    Raises:
        CommandError: it was halted, aborted or replaced.
        FleetError: a file is damaged, or the broker does not take us for who serves.
        OSError: the disk refused.
    """
    with _shown() as show:
        look = _Look(steward, course, show, stopped)
        while not look.over():
            with only_one(steward.releases.folder) as ours:
                if ours:
                    _serve(steward, address(), look)
            if not ours:
                steward.reports.reload()
                time.sleep(LOOK_S)
    if look.ended is None:
        raise CommandError(
            f"{course.name} stays as it is: its boards go on, its waves do not",
            ExitCode.INTERRUPTED,
            fix="firstline fleet rollout status --wait",
        )
    return look.ended


class _Look:
    """Whether a release has come to its end; looks twice a second, however often it is asked."""

    def __init__(
        self,
        steward: Steward,
        course: Course,
        show: Callable[[Course, Steward], None],
        stopped: Callable[[], bool],
    ) -> None:
        self.ended: Course | None = None
        self._steward, self._course = steward, course
        self._show, self._stopped = show, stopped
        self._next_s = 0.0

    def over(self) -> bool:
        """Whether there is nothing to wait for.

        Raises:
            CommandError: it has no good end.
        """
        if self.ended is None and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + LOOK_S
            self.ended = self._end()
        return self.ended is not None or self._stopped()

    def _end(self) -> Course | None:
        course = self._course
        now = self._steward.rollouts.ledger.find(course.group, course.package)
        if now is None or now.rollout.release != course.rollout.release:
            raise CommandError(f"{course.name} was replaced by another release")
        self._show(now, self._steward)
        return _ended(now) if now.finished or not _waits(now) else None


def _serve(steward: Steward, address: Address, look: _Look) -> None:
    topics = subscriptions(steward)
    with Outlet(address, subscriptions=topics, aside=steward.hear) as outlet:
        following = Following(steward, outlet)

        def over() -> bool:
            for words in following.look():
                note(words)
            return look.over()

        try:
            Server(outlet, steward.releases, budget=Budget(), filled=lambda _filled: None).run(over)
        finally:
            if outlet.has_room:  # what was decided last, such as a halt
                with suppress(BrokerUnavailableError):
                    publish_metadata(outlet, steward.releases)


def _waits(course: Course) -> bool:
    """Whether it may still come to its end: a person's pause is no end."""
    return course.rollout.state != "aborted" and not course.halted


def _ended(course: Course) -> Course:
    if course.rollout.state == "aborted":
        raise CommandError(f"{course.name} was aborted" + (course.why and f": {course.why}"))
    if course.halted:
        raise CommandError(
            f"{course.name} was halted: {course.why}",
            fix=f"firstline fleet rollout status {course.package} --group {course.group}",
        )
    return course


@contextmanager
def _shown() -> Iterator[Callable[[Course, Steward], None]]:
    """A table that is drawn again in its place; on no terminal, a line when something changes."""
    from rich.console import Console  # noqa: PLC0415 - as slow as all else together
    from rich.live import Live  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    with Live(console=console, refresh_per_second=_FRAMES_PER_S, transient=True) as live:
        yield lambda course, steward: live.update(_table(course, steward))


def _lines() -> Callable[[Course, Steward], None]:
    last = ""

    def show(course: Course, steward: Steward) -> None:
        nonlocal last
        line = view.headline(course, steward.boards(course))
        if line != last:
            note(line)
        last = line

    return show


def _table(course: Course, steward: Steward) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

    boards = steward.boards(course)
    table = Table(title=Text(view.headline(course, boards)), title_justify="left", box=None)
    for heading in view.HEADING:
        table.add_column(heading)
    for row in view.rows(boards):
        table.add_row(*(Text(cell) for cell in row))  # as text: a board's words are no markup
    return table
