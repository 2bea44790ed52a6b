"""Models that change under load: no question fails, and a broken model makes way."""

from firstline.bench.swap import measure


def test_no_question_fails_while_models_are_swapped_and_a_broken_one_is_taken_back() -> None:
    steps: list[int] = []

    found = measure(60, 2, steps.append)

    assert (found.failed, found.wrong_version, found.swaps, sum(steps)) == (0, 0, 2, 2)
    assert found.requests >= 60
    assert 0.0 < found.rollback_s < 60.0  # a shared machine; `bench swap` says how long it takes
    assert found.unanswered == 3 * found.rollbacks  # the third is one too many
