"""How two packages are compared on the same frames."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.home_nlu.frames import HOME, Frame, Part
from training.home_nlu.judge import Answer, paired, sign_test

COUNTS = st.integers(0, 300)


@pytest.mark.parametrize(
    ("wins", "losses", "chance"), [(0, 0, 1.0), (5, 0, 0.062), (3, 3, 1.0), (15, 5, 0.041)]
)
def test_the_sign_test_is_that_of_a_fair_coin(wins: int, losses: int, chance: float) -> None:
    assert sign_test(wins, losses) == chance


@given(COUNTS, COUNTS)
def test_who_wins_does_not_change_the_chance(wins: int, losses: int) -> None:
    assert sign_test(wins, losses) == sign_test(losses, wins)


def test_only_what_one_of_two_gets_right_is_counted() -> None:
    frame = Frame(HOME, "alarm_set", (Part("", "wake me"),))
    right = Answer(frame.answer, 0.9, 1.0, "alarm_set", Counter())
    wrong = Answer("{}", 0.9, 1.0, "", Counter())

    found = paired([frame] * 4, [right, right, wrong, wrong], [right, wrong, wrong, wrong])

    assert found == {"paired_better": 1, "paired_worse": 0, "paired_p": 1.0}
