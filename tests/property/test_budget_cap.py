"""The budget: no stream of questions makes it ask more than it may."""

from itertools import accumulate, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.budget import WINDOW, Budget, allows, fresh, save, spend

SHARES = st.floats(0.005, 0.5)
FEW = settings(max_examples=25, deadline=None)  # they ask thousands of questions each
STREAMS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=1500)


def asked(depths: list[float], max_share: float, left: Budget | None = None) -> list[int]:
    """Which questions are asked, each as deep as given."""
    budget, found = left or fresh(max_share), []
    for depth in depths:
        may = depth <= budget.level and allows(budget, max_share)
        budget = (spend if may else save)(budget, max_share)
        found.append(int(may))
    return found


def most_in_a_window(flags: list[int]) -> int:
    """The most questions asked among any 200 in a row."""
    sums = [0, *accumulate(flags)]
    return max(sums[min(n + WINDOW, len(flags))] - sums[n] for n in range(len(flags)))


@given(STREAMS, SHARES)
def test_no_window_holds_more_than_twice_the_share(depths: list[float], max_share: float) -> None:
    flags = asked(depths, max_share)

    assert most_in_a_window(flags) <= 2 * max_share * WINDOW + 1e-6


@given(STREAMS, SHARES, st.integers(0, 1500))
def test_a_restart_in_between_does_not_loosen_it(
    depths: list[float], max_share: float, when: int
) -> None:
    """A killed agent goes on from its last question asked: what it kept since is forgotten."""
    flags = asked(depths[:when], max_share)
    budget = fresh(max_share)
    last = max((n for n, flag in enumerate(flags) if flag), default=-1)
    for flag in flags[: last + 1]:
        budget = (spend if flag else save)(budget, max_share)

    flags += asked(depths[when:], max_share, budget)

    assert most_in_a_window(flags) <= 2 * max_share * WINDOW + 1e-6


@given(STREAMS, SHARES)
def test_in_the_long_run_no_more_is_asked_than_the_share_and_what_was_saved_up(
    depths: list[float], max_share: float
) -> None:
    # A question asked lowers the level by a sixtieth of the share, and the share itself raises it.
    # From the level that it starts with to none, that is 60 questions.
    flags = asked(depths * 3, max_share)

    assert sum(flags) <= max_share * len(flags) + 61


@given(STREAMS, SHARES)
@FEW
def test_after_a_flood_it_asks_again(depths: list[float], max_share: float) -> None:
    flags = asked([0.0] * 400 + depths + [0.0] * int(40 / max_share), max_share)

    assert any(flags[400 + len(depths) :])


@given(STREAMS)
def test_a_share_of_nothing_asks_nothing_and_one_of_all_everything(depths: list[float]) -> None:
    assert not any(asked(depths, 0.0))
    assert all(asked(depths, 1.0))


def test_a_full_bucket_lasts_for_a_quarter_of_what_a_window_may_hold() -> None:
    budget = Budget(level=1.0, tokens=fresh(0.15).tokens)
    states = list(accumulate(range(200), lambda now, _: spend(now, 0.15), initial=budget))

    assert [allows(each, 0.15) for each in states[:16]] == [True] * 16
    assert not all(allows(each, 0.15) for each in states[:24])
    assert all(after.level < before.level for before, after in pairwise(states))


@given(STREAMS, SHARES)
@FEW
def test_what_a_calm_time_saves_up_ends_at_three_shares(
    depths: list[float], max_share: float
) -> None:
    calm = fresh(max_share)
    for _ in range(int(200 / max_share)):
        calm = save(calm, max_share)

    flags = asked(depths, max_share, calm)

    assert calm.level == 3 * max_share
    assert sum(flags) <= max_share * len(flags) + 3 * 60 + 1
