"""Do kept answers go wrong more often than allowed? Told by those that were asked all the same.

A small share of kept answers is asked although the device is sure: exploration. Whether the cloud
agrees is an unbiased sample of how the kept ones fare, and the only one that the device gets.
"""

from dataclasses import dataclass, replace

from agent.core.bounds import at_most

_RECENT = 50  # answers; as bits of a float64 they outlive a restart in one number
_SURPRISE = 0.01  # chance of seeing so much disagreement although the bound holds
_FEWEST = 10  # answers; fewer show nothing, however surprising


@dataclass(frozen=True, slots=True)
class Checks:
    """The recent answers that were checked."""

    bits: int = 1  # newest last, 1: the cloud differed; before them a 1 that marks the beginning
    alarmed: bool = False  # drift was told, and has not ended

    @property
    def count(self) -> int:
        """How many there are."""
        return self.bits.bit_length() - 1

    @property
    def differed(self) -> int:
        """How many of them the cloud answered otherwise."""
        return self.bits.bit_count() - 1


def agreed(checks: Checks) -> Checks:
    """The cloud gave the same answer."""
    return _noted(checks, 0)


def differed(checks: Checks) -> Checks:
    """The cloud gave another answer."""
    return _noted(checks, 1)


def judged(checks: Checks, max_error: float) -> Checks:
    """Raise the alarm if more differ than the bound explains; end it when no more do."""
    if checks.count < _FEWEST:
        return checks
    fewer = at_most(checks.differed - 1, checks.count, max_error) if checks.differed else 0.0
    if 1.0 - fewer < _SURPRISE:
        return replace(checks, alarmed=True)
    return replace(checks, alarmed=checks.alarmed and checks.differed > max_error * checks.count)


def to_number(checks: Checks) -> float:
    """As one number that a float64 holds exactly."""
    return float(-checks.bits if checks.alarmed else checks.bits)


def from_number(number: float) -> Checks:
    """What `to_number` wrote; anything else is a fresh start."""
    bits = int(abs(number)) if abs(number) < 2.0 ** (_RECENT + 1) else 0
    return Checks(bits, alarmed=number < 0) if bits else Checks()


def _noted(checks: Checks, bit: int) -> Checks:
    bits = checks.bits << 1 | bit
    if bits.bit_length() - 1 > _RECENT:
        bits = bits & ((1 << _RECENT) - 1) | 1 << _RECENT
    return replace(checks, bits=bits)
