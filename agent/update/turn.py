"""Whether it is this board's turn to take a release. Pure: what is measured comes in as values.

until the switch    every rule is asked again at each step: a pause, a lower percentage, a
pulled plug or the end of the night hold a download, an abort ends it
after the switch    only an abort counts: a model that runs is not left half watched
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from broker.wire.release import Rollout

_DAY: Final = 1440  # minutes
_ABORTED: Final = "the operator aborted it"


@dataclass(frozen=True, slots=True)
class Moment:
    """What the rules ask of a board, now."""

    device: str
    now_s: float  # Unix time that can be trusted
    minute: int  # of the board's local day, in [0, 1440)
    on_battery: bool
    metered: bool  # whether its link to the broker costs by the byte


@dataclass(frozen=True, slots=True)
class Go:
    """Begin, or go on."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now. What was downloaded stays, and the question is asked again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """Never: end what has begun, and throw away what was downloaded."""

    reason: str


@dataclass(frozen=True, slots=True)
class Have:
    """The board has switched to this one already."""


Turn = Go | Hold | Over | Have


@dataclass(frozen=True, slots=True)
class Picked:
    """The rollout that a board follows for one package, and whether it may now."""

    group: str
    rollout: Rollout
    turn: Turn


def pick(offers: Mapping[str, Rollout], moment: Moment, *, taken: int) -> Picked | None:
    """Which of its groups' rollouts a board follows: of the latest release whose turn it is.

    Releases are counted over all groups, so the operator's latest word counts. A board never
    follows an earlier release than it has switched to; what is aborted, over, or not for this board
    leaves it with the one before.

    Args:
        offers: The rollouts of one package, by group.
        moment: What the rules ask of the board.
        taken: The release that the board has switched to last; 0: none.

    Returns:
        None: nothing concerns this moment. If no rollout is for it, the latest with its reason.
    """
    ranked = sorted(offers.items(), key=lambda offer: offer[1].release, reverse=True)
    found = [
        Picked(group, rollout, Have() if rollout.release == taken else turn(rollout, moment))
        for group, rollout in ranked
        if rollout.release >= taken
    ]
    for each in found:
        mine = each.rollout.includes(moment.device)
        if isinstance(each.turn, Have) or (mine and not isinstance(each.turn, Over)):
            return each
    return found[0] if found else None


def turn(rollout: Rollout, moment: Moment) -> Turn:
    """Whether a board may begin, or go on until the switch."""
    if rollout.state == "aborted":
        return Over(_ABORTED)
    if rollout.deadline_s and moment.now_s >= rollout.deadline_s:
        return Over("its deadline has passed")
    reason = next(_obstacles(rollout, moment), None)
    return Go() if reason is None else Hold(reason)


def trial(rollout: Rollout) -> Go | Over:
    """Whether a model that answers already, and is being watched, may stay."""
    if rollout.state == "aborted":
        return Over(_ABORTED)
    return Go()


def _obstacles(rollout: Rollout, moment: Moment) -> Iterator[str]:
    if not rollout.includes(moment.device):
        yield f"not among the first {rollout.percent:g} %"
    if rollout.state == "paused":
        yield "the operator paused it"
    if moment.now_s < rollout.not_before_s:
        yield "its time has not come"
    if rollout.hours is not None and not _within(rollout.hours, moment.minute):
        start, end = rollout.hours
        yield f"only between {_clock(start)} and {_clock(end)}"
    if moment.on_battery and not rollout.on_battery:
        yield "on battery"
    if moment.metered and not rollout.on_metered:
        yield "on a metered link"


def _within(hours: tuple[int, int], minute: int) -> bool:
    start, end = hours
    if start == end:
        return True
    return (minute - start) % _DAY < (end - start) % _DAY  # the night goes over midnight


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
