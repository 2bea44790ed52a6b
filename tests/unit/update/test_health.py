"""When a trial has failed."""

from collections import deque

from agent.update.book import Bounds
from agent.update.health import Tally, failing

BOUNDS = Bounds(most_errors=0.05, most_escalated=0.5, most_ms=100.0)
UNTROUBLED = Tally(answers=100)


def test_a_model_that_answers_stays() -> None:
    assert failing(Tally(answers=1000, times_ms=deque([90.0] * 50)), BOUNDS, UNTROUBLED) == ""


def test_two_errors_are_nothing_yet_and_the_third_is_enough() -> None:
    assert failing(Tally(errors=2), BOUNDS, UNTROUBLED) == ""
    assert "3 of 3 questions" in failing(Tally(errors=3), BOUNDS, UNTROUBLED)


def test_errors_within_the_bound_are_borne() -> None:
    assert failing(Tally(answers=97, errors=3), BOUNDS, UNTROUBLED) == ""


def test_questions_that_the_old_model_could_not_answer_either_are_not_held_against_the_new() -> (
    None
):
    before = Tally(answers=50, errors=50)

    assert failing(Tally(answers=1, errors=9), BOUNDS, before) == ""


def test_a_model_that_asks_too_often_fails() -> None:
    assert failing(Tally(answers=19, asked=19), BOUNDS, UNTROUBLED) == ""
    assert "20 of 20" in failing(Tally(answers=20, asked=20), BOUNDS, UNTROUBLED)


def test_a_slow_model_fails_by_its_median() -> None:
    slow = deque([150.0] * 5 + [10.0] * 4)

    assert "150 ms" in failing(Tally(answers=9, times_ms=slow), BOUNDS, UNTROUBLED)
    assert failing(Tally(answers=9, times_ms=slow), Bounds(), UNTROUBLED) == ""


def test_an_engine_that_crashes_or_refuses_fails_at_once() -> None:
    assert "crashed 3 times" in failing(Tally(answers=9, crashes=3), BOUNDS, UNTROUBLED)
    assert "damaged" in failing(Tally(broken="damaged"), BOUNDS, UNTROUBLED)
