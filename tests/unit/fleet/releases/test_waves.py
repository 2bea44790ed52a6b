"""When a rollout goes on, and when it stops by itself."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.fleet.releases.waves import (
    Advice,
    Finish,
    Halt,
    Next,
    Standing,
    Wait,
    Waves,
    advise,
)

DONE, FAILED, STOPPED, WORKING, WAITING, SILENT = Standing
WAVES = Waves(percents=(10.0, 100.0), wait_s=600.0, success=0.9, patience_s=3600.0)
BEGAN_S = 1_000_000.0


def after(elapsed_s: float, standings: Sequence[Standing], wave: int = 0) -> Advice:
    return advise(WAVES, wave, since_s=BEGAN_S, standings=standings, now_s=BEGAN_S + elapsed_s)


@pytest.mark.parametrize(
    ("elapsed_s", "standings", "expected"),
    [
        (600, [DONE] * 10, Next()),
        (600, [DONE] * 9 + [WORKING], Next()),
        (600, [DONE] * 9 + [FAILED], Next()),
        (599, [DONE] * 10, Wait("10 of 10 done")),
        (600, [DONE] * 8 + [WORKING] * 2, Wait("8 of 10 done")),
        (0, [DONE] * 8 + [FAILED] * 2, Halt("too many failed: 8 of 10 done, 2 failed")),
        (0, [FAILED], Halt("too many failed: 0 of 1 done, 1 failed")),
        (3599, [SILENT], Wait("0 of 1 done")),
        (3600, [SILENT], Halt("too slow: 0 of 1 done, 1 never said anything")),
        (3600, [DONE, WAITING], Halt("too slow: 1 of 2 done")),
        (3600, [STOPPED], Halt("too slow: 0 of 1 done")),
        (0, [], Next()),
    ],
)
def test_a_wave_goes_on_waits_or_halts(
    elapsed_s: float, standings: list[Standing], expected: Advice
) -> None:
    assert after(elapsed_s, standings) == expected


@pytest.mark.parametrize(
    ("elapsed_s", "standings", "expected"),
    [
        (0, [DONE] * 10, Finish("10 of 10 done")),
        (0, [DONE] * 9 + [FAILED], Finish("9 of 10 done, 1 failed")),
        (599, [DONE] * 9 + [WORKING], Wait("9 of 10 done")),
        (600, [DONE] * 9 + [WORKING], Finish("9 of 10 done")),
        (0, [DONE] * 8 + [FAILED] * 2, Halt("too many failed: 8 of 10 done, 2 failed")),
        (3600, [DONE] * 8 + [SILENT] * 2, Halt("too slow: 8 of 10 done, 2 never said anything")),
        (0, [], Finish("0 of 0 done")),
    ],
)
def test_the_last_wave_finishes(
    elapsed_s: float, standings: list[Standing], expected: Advice
) -> None:
    assert after(elapsed_s, standings, wave=1) == expected


@given(st.lists(st.sampled_from(Standing), max_size=40), st.floats(0, 10_000))
def test_no_wave_begins_before_enough_are_done(standings: list[Standing], elapsed_s: float) -> None:
    advice = after(elapsed_s, standings)

    if isinstance(advice, Next) and standings:
        assert standings.count(DONE) >= 0.9 * len(standings) - 1e-6
        assert elapsed_s >= 600


@given(st.lists(st.sampled_from(Standing), max_size=40), st.integers(0, 1))
def test_nothing_waits_for_ever(standings: list[Standing], wave: int) -> None:
    assert not isinstance(after(3600, standings, wave), Wait)


def test_a_bar_is_not_missed_by_rounding() -> None:
    bar = Waves(percents=(100.0,), wait_s=0.0, success=0.7)
    standings = [DONE] * 7 + [FAILED] * 3  # 10 * (1 - 0.7) is 3.0000000000000004, or 2.99...

    advice = advise(bar, 0, since_s=0.0, standings=standings, now_s=0.0)

    assert advice == Finish("7 of 10 done, 3 failed")
