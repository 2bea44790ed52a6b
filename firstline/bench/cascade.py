"""What a pair of models is worth when the small one chooses which rows to ask the large one.

    rows --in_order--> least sure first --accuracies--> accuracy after k rows were asked, k = 0..n

Arithmetic only: no model, no file, no clock. Shares, accuracies and chances are in [0, 1].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import fmean

SHARES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
_BINS = 10
_HALF = 0.5  # the usual threshold of those who do not calibrate


@dataclass(frozen=True, slots=True)
class Row:
    """One question that both models answered."""

    edge_right: bool
    cloud_right: bool
    score: float  # the edge's largest probability
    chance: float  # the edge's calibrated chance of being right
    called_out: bool  # the edge says: outside what I know

    @property
    def urgency(self) -> tuple[bool, float, float]:
        """Sorts rows into the order in which they are asked, the first one smallest."""
        return (not self.called_out, self.chance, self.score)


@dataclass(frozen=True, slots=True)
class Point:
    """What comes out when a share of the rows is asked."""

    escalated: float  # share
    accuracy: float
    ratio: float | None  # to the cloud's own accuracy; none where that is 0


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Sort rows: called out of scope, then by rising chance, then by score, then as they came."""
    return sorted(rows, key=lambda row: row.urgency)


def accuracies(ordered: Sequence[Row]) -> list[float]:
    """Give the accuracy (n + 1,) after the first 0, 1, ... n rows were asked."""
    gains = (int(row.cloud_right) - int(row.edge_right) for row in ordered)
    start = sum(row.edge_right for row in ordered)
    return [right / len(ordered) for right in accumulate(gains, initial=start)]


def oracle_accuracy(rows: Sequence[Row]) -> float:
    """The share of rows that at least one model has right: no choice of rows does better."""
    return fmean(row.edge_right or row.cloud_right for row in rows)


def asked(share: float, rows: int) -> int:
    """How many rows a share allows: the share is never exceeded."""
    return int(share * rows)


def threshold(ordered: Sequence[Row], share: float) -> Callable[[Row], bool]:
    """Whether a row, of these or another, is asked by the threshold that asks this share of them.

    It asks all rows that are exactly as urgent as the last one within the share.
    """
    count = asked(share, len(ordered))
    last = ordered[count - 1].urgency if count else None
    return lambda row: last is not None and row.urgency <= last


def points(curve: Sequence[float]) -> list[Point]:
    """The curve of `accuracies` at the usual shares."""
    rows = len(curve) - 1
    return [point(share, curve[asked(share, rows)], curve[-1]) for share in SHARES]


def random_points(curve: Sequence[float]) -> list[Point]:
    """The same shares, when the rows are drawn by lot: a straight line from edge to cloud."""
    edge, cloud = curve[0], curve[-1]
    return [point(share, edge + share * (cloud - edge), cloud) for share in SHARES]


def fixed_half(rows: Sequence[Row]) -> Point:
    """Ask where the raw score is below one half, as those do who do not calibrate."""
    asks = [row.score < _HALF for row in rows]
    right = [
        row.cloud_right if ask else row.edge_right for row, ask in zip(rows, asks, strict=True)
    ]
    return point(fmean(asks), fmean(right), fmean(row.cloud_right for row in rows))


def point(escalated: float, accuracy: float, cloud: float) -> Point:
    """A point and its ratio."""
    return Point(escalated, accuracy, accuracy / cloud if cloud else None)


def recovered(curve: Sequence[float], most: float) -> float | None:
    """The mean over all shares of the part of the gap from edge to cloud that is closed (APGR).

    A part above `most` counts as `most`. None where the cloud is no better than the edge: there
    is no gap to close.
    """
    edge, cloud = curve[0], curve[-1]
    if cloud <= edge:
        return None
    parts = [min(most, (accuracy - edge) / (cloud - edge)) for accuracy in curve]
    return fmean((left + right) / 2 for left, right in pairwise(parts))


def calibration_error(rows: Sequence[Row]) -> float | None:
    """The mean gap between chance and accuracy, in ten bins of equal count.

    Rows that the edge calls out of scope are left out: it states no chance for them. None where
    no row is left.
    """
    stated = sorted((row for row in rows if not row.called_out), key=lambda row: row.chance)
    if not stated:
        return None
    cuts = [number * len(stated) // _BINS for number in range(_BINS + 1)]
    bins = [stated[low:high] for low, high in pairwise(cuts) if high > low]
    return sum(_gap(each) * len(each) for each in bins) / len(stated)


def _gap(rows: Sequence[Row]) -> float:
    return abs(fmean(row.chance for row in rows) - fmean(row.edge_right for row in rows))
