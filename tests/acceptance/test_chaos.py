"""A small `firstline bench chaos`: questions while all that can fail does, from a seed."""

import pytest

from firstline.bench.chaos import Chaos, measure

QUESTIONS = 100
SEED = 2

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]


@pytest.mark.timeout(400)
def test_no_question_is_lost_and_none_has_two_effects_whatever_fails() -> None:
    found = measure(QUESTIONS, SEED, lambda _: None)

    assert (found.delivered, found.lost, found.duplicate_effects) == (QUESTIONS, 0, 0)
    assert troubles(found) > 0


def troubles(found: Chaos) -> int:
    """How often something failed."""
    return found.kills + found.cuts + found.freezes + found.overflows + found.clock_jumps
