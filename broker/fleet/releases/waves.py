"""When a rollout goes on to more boards, and when it stops by itself. Pure: counts in, advice out.

    wave 1 -> wait, enough done -> wave 2 -> ... -> the last one -> finished
              too many failed, or too slow -> halted: paused, with the reason

Only boards whose turn it is count. One that says nothing is neither done nor failed: it holds the
wave until the patience with it is over.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from broker.wire.document import Document

_CLOSE: Final = 1e-9  # 0.9 of 10 boards are 9, whatever a float makes of it

Percent = Annotated[float, Meta(ge=0, le=100)]


class Standing(StrEnum):
    """Where a board is with one release, as far as it has proven."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    WORKING = "working"
    WAITING = "waiting"  # it knows of the release, or does not yet, and has not begun
    SILENT = "silent"  # it has never said anything


class Waves(Document, frozen=True):
    """To how many boards, how fast, and how well it must go."""

    percents: Annotated[tuple[Percent, ...], Meta(min_length=1, max_length=100)]  # rising
    wait_s: Annotated[float, Meta(ge=0)] = 600.0  # at least, from one wave to the next
    success: Annotated[float, Meta(gt=0, le=1)] = 0.95  # share done, of those whose turn it is
    patience_s: Annotated[float, Meta(gt=0)] = 86_400.0  # with a wave that does not get there


@dataclass(frozen=True, slots=True)
class Next:
    """Go on to the next wave."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The last wave is through."""

    words: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop: a person must look."""

    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet."""

    why: str


Advice = Next | Finish | Halt | Wait


def advise(
    waves: Waves, wave: int, *, since_s: float, standings: Iterable[Standing], now_s: float
) -> Advice:
    """What to do about a wave.

    Args:
        waves: The operator's orders.
        wave: Which of them, from 0.
        since_s: When it began; Unix time.
        standings: Of the boards whose turn it is.
        now_s: Unix time.
    """
    count = Counter(standings)
    boards, done, failed = count.total(), count[Standing.DONE], count[Standing.FAILED]
    told = f"{done} of {boards} done" + (f", {failed} failed" if failed else "")
    last = wave + 1 >= len(waves.percents)
    if failed > boards * (1.0 - waves.success) + _CLOSE:
        return Halt(f"too many failed: {told}")
    enough = done >= boards * waves.success - _CLOSE
    waited = now_s - since_s >= waves.wait_s
    if last and (done + failed == boards or (enough and waited)):
        return Finish(told)
    if not last and (boards == 0 or (enough and waited)):
        return Next()
    if now_s - since_s >= max(waves.patience_s, waves.wait_s) and not enough:
        silent = count[Standing.SILENT]
        return Halt(f"too slow: {told}" + (f", {silent} never said anything" if silent else ""))
    return Wait(told)
