"""What `firstline bench stuck` prints is true of what it has measured."""

from firstline.bench.stuck import Stuck, measure


def test_a_frozen_worker_costs_the_time_to_the_next_try_and_a_dead_one_nothing() -> None:
    steps: list[int] = []
    tries = (measure(2, steps.append) for _ in range(3))

    # Once in three times, and no other program has held it up.
    found = next((each for each in tries if prompt(each)), None)

    assert found is not None
    assert 0.9 * found.resend_s <= found.stuck_s
    assert sum(steps) % (3 * found.rounds) == 0


def prompt(found: Stuck) -> bool:
    return max(found.more_s, found.dead_s) < 3 * found.resend_s
