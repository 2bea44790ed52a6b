"""What several benches need to come to their figures."""

from collections.abc import Sequence

# /tmp may be in memory, which no power cut and no waiting for the disk slows.
ON_DISK = "/var/tmp"  # noqa: S108 - each bench makes a folder of its own there


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all, in [0, 1], does not exceed; 0 of none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0
