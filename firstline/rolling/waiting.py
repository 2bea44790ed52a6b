"""Waits for a release: shows each board as it goes, and lets the waves go on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from broker.fleet.releases.courses import Course
from broker.fleet.releases.outlet import Outlet
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import Address
from firstline.console import note
from firstline.exits import CommandError, ExitCode
from firstline.rolling import view
from firstline.rolling.following import LOOK_S, bring, serve, subscriptions, taken
from firstline.rolling.steward import Steward

if TYPE_CHECKING:
    from rich.table import Table

_FRAMES_PER_S: Final = 4
_LAST_S: Final = 3.0  # with a broker that may be away, before a person has the prompt again


def wait_for(
    steward: Steward, course: Course, address: Address, *, stopped: Callable[[], bool]
) -> Course:
    """Follow a release to its end; the release as it is then.

    Raises:
        CommandError: it was halted, aborted or replaced, or somebody else is connected.
        FleetError: a file is damaged, or the broker does not take us for its operator.
    """
    try:
        with taken(steward.rollouts.ledger.folder) as ours:
            if not ours:
                raise CommandError(
                    "another command is connected for this fleet's releases, and sees them through",
                    fix="firstline fleet rollout status",
                )
            ended = _follow(steward, course, address, stopped)
    finally:
        # What another command signed while we had the connection: it counts on us.
        with suppress(BrokerUnavailableError):
            bring(steward, address, patience_s=_LAST_S)
    if ended is None:
        raise CommandError(
            f"{course.name} stays as it is: its boards go on, its waves do not",
            ExitCode.INTERRUPTED,
            fix="firstline fleet rollout status --wait",
        )
    return ended


def _follow(
    steward: Steward, course: Course, address: Address, stopped: Callable[[], bool]
) -> Course | None:
    ended: list[Course] = []
    with Outlet(address, subscriptions=subscriptions(steward)) as outlet, _shown() as show:
        next_s = 0.0

        def over() -> bool:
            nonlocal next_s
            if time.monotonic() < next_s:
                return stopped()
            next_s = time.monotonic() + LOOK_S
            now = steward.rollouts.ledger.find(course.group, course.package)
            if now is None or now.rollout.release != course.rollout.release:
                raise CommandError(f"{course.name} was replaced by another release")
            show(now, steward)
            if now.finished or not _waits(now):
                ended.append(_ended(now))
            return bool(ended) or stopped()

        serve(steward, outlet, stopped=over, told=note)
    return ended[0] if ended else None


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
