"""The arithmetic of `bench gate`, against tables computed by hand."""

import pytest

from firstline.bench import cascade
from firstline.bench.cascade import Point, Row

# Four rows: the edge has the surest one right, the cloud three, nobody the second.
UNKNOWN = Row(edge_right=False, cloud_right=True, score=0.9, chance=0.9, called_out=True)
UNSURE = Row(edge_right=False, cloud_right=False, score=0.3, chance=0.5, called_out=False)
TIED = Row(edge_right=False, cloud_right=True, score=0.6, chance=0.5, called_out=False)
SURE = Row(edge_right=True, cloud_right=True, score=0.9, chance=0.9, called_out=False)
ROWS = (SURE, TIED, UNSURE, UNKNOWN)
#                asked:  0     1    2    3     4
CURVE = [0.25, 0.50, 0.50, 0.75, 0.75]


def test_out_of_scope_is_asked_first_then_by_chance_then_by_score() -> None:
    assert cascade.in_order(ROWS) == [UNKNOWN, UNSURE, TIED, SURE]


def test_the_chance_counts_before_the_score() -> None:
    likely = Row(edge_right=True, cloud_right=True, score=0.3, chance=0.6, called_out=False)
    unlikely = Row(edge_right=True, cloud_right=True, score=0.8, chance=0.2, called_out=False)

    assert cascade.in_order([likely, unlikely]) == [unlikely, likely]


def test_the_curve_goes_from_the_edge_alone_to_the_cloud_alone() -> None:
    assert cascade.accuracies(cascade.in_order(ROWS)) == CURVE


def test_asking_where_only_the_edge_is_right_costs() -> None:
    loss = Row(edge_right=True, cloud_right=False, score=0.1, chance=0.1, called_out=False)

    assert cascade.accuracies([loss, SURE]) == [1.0, 0.5, 0.5]


def test_the_oracle_is_right_where_one_of_the_two_is() -> None:
    loss = Row(edge_right=True, cloud_right=False, score=0.1, chance=0.1, called_out=False)

    assert cascade.oracle_accuracy([*ROWS, loss]) == 4 / 5


@pytest.mark.parametrize(
    ("share", "rows", "count"), [(0.05, 20, 1), (0.15, 20, 3), (0.10, 1076, 107), (0.05, 19, 0)]
)
def test_a_share_is_never_exceeded(share: float, rows: int, count: int) -> None:
    assert cascade.asked(share, rows) == count


def test_points_are_read_from_the_curve() -> None:
    curve = [0.50, 0.55, 0.60, 0.60, 0.65, 0.70, 0.75, *[0.80] * 14]  # 20 rows

    found = cascade.points(curve)

    assert found == [
        Point(0.05, 0.55, 0.55 / 0.80),
        Point(0.10, 0.60, 0.60 / 0.80),
        Point(0.15, 0.60, 0.60 / 0.80),
        Point(0.20, 0.65, 0.65 / 0.80),
        Point(0.25, 0.70, 0.70 / 0.80),
        Point(0.30, 0.75, 0.75 / 0.80),
    ]


def test_rows_drawn_by_lot_give_a_straight_line() -> None:
    found = cascade.random_points([0.50, 0.90, 0.80])

    wanted = [0.515, 0.53, 0.545, 0.56, 0.575, 0.59]
    assert [each.escalated for each in found] == list(cascade.SHARES)
    assert [each.accuracy for each in found] == pytest.approx(wanted)
    assert [each.ratio for each in found] == pytest.approx([each / 0.80 for each in wanted])


def test_a_cloud_that_has_nothing_right_gives_no_ratio() -> None:
    assert cascade.point(0.1, 0.5, 0.0) == Point(0.1, 0.5, None)


def test_below_one_half_is_asked_and_one_half_is_not() -> None:
    half = Row(edge_right=True, cloud_right=False, score=0.5, chance=0.1, called_out=False)
    below = Row(edge_right=False, cloud_right=True, score=0.49, chance=0.9, called_out=False)

    assert cascade.fixed_half([half, below, SURE, SURE]) == Point(0.25, 1.0, 1.0 / 0.75)


def test_the_gap_closed_is_the_mean_over_all_shares() -> None:
    # Parts of the gap 0.25 .. 0.75: 0, 1/2, 1/2, 1, 1; between them 1/4, 1/2, 3/4, 1.
    assert cascade.recovered(CURVE, most=1.0) == 2.5 / 4


def test_asking_by_lot_closes_half_of_the_gap() -> None:
    line = [0.5, 0.6, 0.7, 0.8]

    assert cascade.recovered(line, most=1.0) == pytest.approx(0.5)


def test_what_lies_above_the_cloud_is_cut_or_counted() -> None:
    curve = [0.4, 0.8, 0.6]  # parts 0, 2, 1

    assert cascade.recovered(curve, most=1.0) == pytest.approx((0.5 + 1) / 2)
    assert cascade.recovered(curve, most=9.0) == pytest.approx((1 + 1.5) / 2)


@pytest.mark.parametrize("cloud", [0.5, 0.4])
def test_there_is_no_gap_where_the_cloud_is_no_better(cloud: float) -> None:
    assert cascade.recovered([0.5, 0.6, cloud], most=1.0) is None


def stated(chance: float, *, right: bool, called_out: bool = False) -> Row:
    return Row(right, cloud_right=True, score=chance, chance=chance, called_out=called_out)


def test_the_calibration_error_is_the_mean_gap_of_equal_bins() -> None:
    # Twenty rows, two in a bin: nine bins say 0.5 and have one of two right, one says 0.9.
    even = [stated(0.5, right=bool(number % 2)) for number in range(18)]
    boastful = [stated(0.9, right=False), stated(0.9, right=True)]

    assert cascade.calibration_error([*boastful, *even]) == pytest.approx(0.4 / 10)


def test_neighbouring_bins_do_not_make_up_for_each_other() -> None:
    # Twenty rows that say about 0.5; two right, two wrong, two right, ... as the chance rises.
    rows = [stated(0.5 + number * 1e-9, right=number % 4 < 2) for number in range(20)]

    assert cascade.calibration_error(rows) == pytest.approx(0.5)


def test_the_calibration_error_of_few_rows_is_the_gap_of_each() -> None:
    found = cascade.calibration_error([stated(0.8, right=True), stated(0.5, right=False)])

    assert found == pytest.approx((0.2 + 0.5) / 2)


def test_a_row_called_out_of_scope_has_no_calibration_error() -> None:
    outside = stated(0.9, right=False, called_out=True)

    assert cascade.calibration_error([stated(0.9, right=True), outside]) == pytest.approx(0.1)
    assert cascade.calibration_error([outside]) is None


def test_a_threshold_asks_what_is_at_least_as_urgent_as_the_last_row_of_the_share() -> None:
    asks = cascade.threshold(cascade.in_order(ROWS), 0.5)

    assert [asks(row) for row in ROWS] == [False, False, True, True]


def test_a_share_of_no_row_asks_nothing() -> None:
    asks = cascade.threshold(cascade.in_order(ROWS), 0.10)

    assert not any(asks(row) for row in ROWS)
