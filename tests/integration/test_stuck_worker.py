"""What `firstline bench stuck` prints is true of what it has measured."""

from firstline.bench.stuck import measure


def test_a_frozen_worker_costs_the_time_to_the_next_try_and_a_dead_one_nothing() -> None:
    steps: list[int] = []

    found = measure(2, steps.append)

    assert 0.9 * found.resend_s <= found.stuck_s
    assert found.more_s < 3 * found.resend_s
    assert found.dead_s < 3 * found.resend_s
    assert found.rounds * 3 == sum(steps)
