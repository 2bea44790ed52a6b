"""What the gate buys: a small and a large package over the same labelled sentences.

    rows --> edge, cloud: PackageModel.answer --> cascade.Row --> Gate

Both models answer every row, one question at a time on one core, as a device does. Rows whose
intent means out of scope are no part of the figures: they are reported apart.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from agent.core.gate import Calibration
from broker.package.heads import Head
from broker.package.load import load_package
from broker.package.model import Found, PackageModel
from broker.package.verdict import is_right
from firstline.bench import cascade
from firstline.bench.cascade import Point, Row
from firstline.bench.pair import Pair
from firstline.exits import CommandError
from firstline.labelled import Row as Labelled
from firstline.labelled import check_labels, outside_label

FEW_ROWS = 100  # with fewer, one row is more than a point of every figure
_APART_SHARE = 0.10  # the rows out of scope meet the threshold of this point


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """Rows that only "out of scope" is right for; a share is none where there are no such rows."""

    rows: int
    edge_recall: float | None  # share of them that the edge itself calls out of scope
    cloud_recall: float | None
    escalated: float | None  # share of them that is asked at the 10 % point's threshold
    edge_accuracy_all: float  # over all rows, in scope or not
    cloud_accuracy_all: float
    escalated_all: float  # share of all rows that is asked at that threshold
    accuracy_all: float  # and the accuracy that comes out


@dataclass(frozen=True, slots=True)
class Gate:
    """The figures; all but `out_of_scope` are of the rows in scope."""

    task: str
    edge: str  # name of its package
    cloud: str
    rows: int
    few_rows: bool  # fewer than 100: no figure is more than a hint
    edge_accuracy: float
    cloud_accuracy: float
    oracle_accuracy: float  # at least one of the two is right
    points: list[Point]
    apgr: float | None  # none where the cloud is no better than the edge
    apgr_raw: float | None  # the same, with what is gained above the cloud's own accuracy
    ece: float | None  # none where the edge was never calibrated
    random_points: list[Point]
    fixed_half: Point
    edge_ms: float  # median of one question
    cloud_ms: float
    out_of_scope: OutOfScope


@dataclass(frozen=True, slots=True)
class _Answers:
    model: PackageModel
    head: Head
    found: list[Found]
    median_ms: float


def measure(
    pair: Pair, path: Path, labelled: Sequence[Labelled], progress: Callable[[int], None]
) -> Gate:
    """Ask both models every row of a file; `progress` counts answers, two for each row.

    Raises:
        CommandError: a label is unknown, or no row is in scope.
        PackageError: a package cannot be used.
    """
    edge, cloud = load_package(pair.edge), load_package(pair.cloud)
    own, larger = edge.manifest.head(pair.task), cloud.manifest.head(pair.task)
    outside = outside_label(own)
    inside = [row for row in labelled if row.case.label != outside]
    if not inside:
        raise CommandError(f"{path}: every row is out of scope; the figures need rows in scope")
    check_labels(path, inside, cloud.manifest, larger)
    apart = [row for row in labelled if row.case.label == outside]
    ordered = [*inside, *apart]
    small = _ask(edge, pair.task, ordered, progress)
    large = _ask(cloud, pair.task, ordered, progress)
    rows = _compared(ordered, small, large, outside)
    return _gate(pair.task, small, large, rows[: len(inside)], rows[len(inside) :])


def _ask(
    model: PackageModel, task: str, rows: Sequence[Labelled], progress: Callable[[int], None]
) -> _Answers:
    found, times_ms = [], []
    for row in rows:
        started_s = time.perf_counter()
        found.append(model.answer(row.case.payload, task))
        times_ms.append((time.perf_counter() - started_s) * 1e3)
        progress(1)
    return _Answers(model, model.manifest.head(task), found, round(statistics.median(times_ms), 3))


def _compared(
    rows: Sequence[Labelled], small: _Answers, large: _Answers, outside: str
) -> list[Row]:
    """Of the rows out of scope, the device is right to ask, and the cloud only to say so."""
    calibration = Calibration(small.head.knots)
    return [
        Row(
            edge_right=edge.out_of_scope
            if row.case.label == outside
            else _right(row, small.head, edge),
            cloud_right=(
                cloud.answer == large.head.out_of_scope
                if row.case.label == outside
                else _right(row, large.head, cloud)
            ),
            score=edge.score,
            chance=calibration.chance(edge.score),
            called_out=edge.out_of_scope,
        )
        for row, edge, cloud in zip(rows, small.found, large.found, strict=True)
    ]


def _right(row: Labelled, head: Head, answer: Found) -> bool:
    return is_right(head, answer.answer, row.case.label)


def _gate(
    task: str, small: _Answers, large: _Answers, inside: Sequence[Row], apart: Sequence[Row]
) -> Gate:
    ordered = cascade.in_order(inside)
    curve = cascade.accuracies(ordered)
    calibrated = small.model.manifest.head(task).knots
    return Gate(
        task=task,
        edge=small.model.manifest.name,
        cloud=large.model.manifest.name,
        rows=len(inside),
        few_rows=len(inside) < FEW_ROWS,
        edge_accuracy=curve[0],
        cloud_accuracy=curve[-1],
        oracle_accuracy=cascade.oracle_accuracy(inside),
        points=cascade.points(curve),
        apgr=cascade.recovered(curve, most=1.0),
        apgr_raw=cascade.recovered(curve, most=float("inf")),
        ece=cascade.calibration_error(inside) if calibrated else None,
        random_points=cascade.random_points(curve),
        fixed_half=cascade.fixed_half(inside),
        edge_ms=small.median_ms,
        cloud_ms=large.median_ms,
        out_of_scope=_out_of_scope(ordered, apart),
    )


def _out_of_scope(ordered: Sequence[Row], apart: Sequence[Row]) -> OutOfScope:
    asks = cascade.threshold(ordered, _APART_SHARE)
    every = [*ordered, *apart]
    asked = [asks(row) for row in every]
    right = [r.cloud_right if ask else r.edge_right for r, ask in zip(every, asked, strict=True)]
    return OutOfScope(
        rows=len(apart),
        edge_recall=_share([row.edge_right for row in apart]),
        cloud_recall=_share([row.cloud_right for row in apart]),
        escalated=_share([asks(row) for row in apart]),
        edge_accuracy_all=fmean(row.edge_right for row in every),
        cloud_accuracy_all=fmean(row.cloud_right for row in every),
        escalated_all=fmean(asked),
        accuracy_all=fmean(right),
    )


def _share(flags: Sequence[bool]) -> float | None:
    return fmean(flags) if flags else None
