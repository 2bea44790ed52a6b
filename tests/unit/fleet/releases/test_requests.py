"""What boards ask for: in turn, once for all, and no flood."""

import pytest

from broker.fleet.releases.requests import AGAIN_S, Requests
from broker.wire.release import MOST_WANTED
from broker.wire.topics import DeviceId

SIZE = 100
BOARDS = [DeviceId(f"board-{number}") for number in range(3)]
DAY_S = 86_400.0


@pytest.fixture
def requests() -> Requests:
    return Requests(lambda name: SIZE if name.startswith("b") else 0, quota_bytes=1000 * SIZE)


def served(requests: Requests, now_s: float) -> list[str]:
    found = []
    while (name := requests.next(now_s=now_s)) is not None:
        found.append(name)
    return found


def test_boards_are_served_in_turn(requests: Requests) -> None:
    requests.ask(BOARDS[0], [f"b0{number}" for number in range(3)], now_s=0.0)
    requests.ask(BOARDS[1], ["b10"], now_s=0.0)
    requests.ask(BOARDS[2], ["b20", "b21"], now_s=0.0)

    assert served(requests, 0.0) == ["b00", "b10", "b20", "b01", "b21", "b02"]


def test_what_many_want_goes_out_once(requests: Requests) -> None:
    for board in BOARDS:
        requests.ask(board, ["b1", "b2"], now_s=0.0)

    assert sorted(served(requests, 0.0)) == ["b1", "b2"]


def test_a_block_goes_out_again_only_after_a_while(requests: Requests) -> None:
    requests.ask(BOARDS[0], ["b1"], now_s=0.0)
    served(requests, 0.0)

    requests.ask(BOARDS[1], ["b1"], now_s=AGAIN_S / 2)
    soon = served(requests, AGAIN_S / 2)
    requests.ask(BOARDS[1], ["b1"], now_s=AGAIN_S * 1.1)
    later = served(requests, AGAIN_S * 1.1)

    assert (soon, later) == ([], ["b1"])
    assert requests.counters["wants_repeated"] == 1


def test_what_the_broker_should_hold_goes_to_who_asks_twice(requests: Requests) -> None:
    requests.held = frozenset({"b1"})

    requests.ask(BOARDS[0], ["b1"], now_s=0.0)
    requests.ask(BOARDS[1], ["b1"], now_s=0.0)
    first = served(requests, 0.0)
    requests.ask(BOARDS[0], ["b1"], now_s=8.0)

    assert (first, served(requests, 8.0)) == ([], ["b1"])


def test_a_flood_of_one_board_waits_in_a_short_queue_and_delays_nobody(requests: Requests) -> None:
    for number in range(100):
        requests.ask(BOARDS[0], [f"b0{number}.{each}" for each in range(MOST_WANTED)], now_s=0.0)
    requests.ask(BOARDS[1], ["b10"], now_s=0.0)

    found = served(requests, 0.0)

    assert found.index("b10") <= 1
    assert len(found) == MOST_WANTED + 1
    assert requests.counters["wants_dropped"] == 99 * MOST_WANTED


def test_a_board_that_had_everything_twice_is_done_for_the_day(requests: Requests) -> None:
    found = []
    for number in range(2000):
        requests.ask(BOARDS[0], [f"b{number}"], now_s=float(number))
        found += served(requests, float(number))
    requests.ask(BOARDS[1], ["b5000"], now_s=2000.0)
    requests.ask(BOARDS[0], ["b5001"], now_s=DAY_S + 1.0)

    assert len(found) == 1000
    assert requests.counters["wants_over_quota"] == 1000
    assert sorted(served(requests, DAY_S + 1.0)) == ["b5000", "b5001"]


def test_what_nobody_released_is_counted_and_passed_over(requests: Requests) -> None:
    requests.ask(BOARDS[0], ["strange"], now_s=0.0)

    assert served(requests, 0.0) == []
    assert requests.counters["wants_unknown"] == 1
