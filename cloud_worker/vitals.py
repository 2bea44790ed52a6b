"""How a worker is: what its loop says of itself once a second, for whoever asks on another thread.

    loop --Vitals--> /healthz  is it turning?
                 |-> /readyz   has it a broker, its models, its keys?
                 '-> /metrics  what has it done?

A loop that hangs says nothing new, so it is seen by the age of the last word.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

GOOD = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One model and its questions."""

    model: str  # name and version
    capacity: int  # accepted at most
    waiting: int  # accepted, for a free thread
    working: int  # being answered
    oldest_s: float | None  # monotonic: since when the oldest of them is here
    ready: bool  # whether it could answer one more, as far as is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """A worker at one moment."""

    beat_s: float  # monotonic: that moment
    broker: str  # why it hears no questions; `GOOD`: it does
    stopping: bool
    keys_end_s: float  # Unix time: until then devices can seal to it
    lanes: tuple[Lane, ...]
    counters: Mapping[str, int]  # since the start


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be well."""

    name: str
    state: str  # `GOOD`, or what is wrong

    @property
    def passed(self) -> bool:
        """Whether it is well."""
        return self.state == GOOD


def alive(vitals: Vitals, *, steady_s: float, hang_s: float) -> Check:
    """Whether the loop turns; `steady_s` is monotonic time.

    One that hung for `hang_s` will not come back, and only a new process helps.
    """
    silent_s = steady_s - vitals.beat_s
    return Check("loop", GOOD if silent_s <= hang_s else f"silent for {silent_s:.0f} s")


def readiness(vitals: Vitals, *, steady_s: float, now_s: float, hang_s: float) -> tuple[Check, ...]:
    """What an answer needs; `now_s` is Unix time."""
    return (
        alive(vitals, steady_s=steady_s, hang_s=hang_s),
        Check("broker", vitals.broker),
        Check("models", _models(vitals.lanes)),
        Check("keys", GOOD if now_s < vitals.keys_end_s else "no key that a device can seal to"),
        Check("intake", "the worker stops" if vitals.stopping else GOOD),
    )


def _models(lanes: tuple[Lane, ...]) -> str:
    away = ", ".join(sorted(set(_away(lanes))))
    return f"away: {away}" if away else GOOD


def _away(lanes: tuple[Lane, ...]) -> Iterator[str]:
    return (lane.model for lane in lanes if not lane.ready)
