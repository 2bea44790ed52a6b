"""What the state of the board asks of the agent: one rule, by which it takes its measures.

Conditions --measures--> Measures --gate_under--> the task's GatePolicy
--threads_under--> threads of an engine

hot       engines work with half their threads, until the board is 5 degrees cooler
costly    on battery, or over a metered link: a task asks as little as its settings say, and
asks about no answer that is good enough
"""

from dataclasses import dataclass, replace

from agent.core.gate import GatePolicy

_COOLER_C = 5.0  # below the limit: else threads come and go with each breath of the fan


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the board fares."""

    temperature_c: float | None = None  # of its hottest zone; None: it has no sensor
    slowed: bool = False  # the kernel slows the processor down, or the voltage is too low
    on_battery: bool = False
    charge: float | None = None  # in [0, 1], of the emptiest battery; None: it has none
    metered: bool = False  # somebody pays for what goes over the link


@dataclass(frozen=True, slots=True)
class Measures:
    """What is done about it."""

    hot: bool = False
    costly: bool = False


@dataclass(frozen=True, slots=True)
class Frugality:
    """What a task does while asking is costly."""

    share: float | None = None  # of its questions, this share may be asked; None: as ever
    wait_s: float = 0.0  # a question waits so long for mains or another link, then it is sent


def measures(now: Conditions, before: Measures, *, throttle_c: float) -> Measures:
    """Decide; `throttle_c` is the temperature from which on the board is hot."""
    limit_c = throttle_c - _COOLER_C if before.hot else throttle_c
    warm = now.temperature_c is not None and now.temperature_c >= limit_c
    return Measures(hot=warm or now.slowed, costly=now.on_battery or now.metered)


def threads_under(taken: Measures, threads: int) -> int:
    """How many threads an engine works with that has `threads` on a cool board."""
    return max(1, threads // 2) if taken.hot else threads


def gate_under(taken: Measures, policy: GatePolicy, frugal: Frugality) -> GatePolicy:
    """A task's policy. The bound on error stays: what is not asked for its sake says so."""
    if not taken.costly or frugal == Frugality():
        return policy
    shares = [share for share in (policy.max_share, frugal.share) if share is not None]
    return replace(policy, max_share=min(shares, default=None), explore=0.0)


def wait_under(taken: Measures, frugal: Frugality) -> float:
    """Seconds for which a question that is to be asked waits before it is sent."""
    return frugal.wait_s if taken.costly else 0.0
