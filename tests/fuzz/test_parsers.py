"""Whatever bytes come, a parser takes them or raises an error of ours, and takes little memory.

`make fuzz` looks further at the same targets, guided by the code that is reached.
"""

import tracemalloc
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.names import FOUND, HUGE, NAMES, NASTY
from tests.fuzz.target import Target
from tests.fuzz.targets import all_targets

MOST_BYTES = 24 * 1024 * 1024  # that a parser may take for a few kilobytes
TRIES = 20


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Target]:
    return all_targets(tmp_path_factory.mktemp("fuzz"))


@st.composite
def damaged(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A whole input with a few pieces replaced, removed or doubled; or noise."""
    data = draw(st.one_of(st.sampled_from(seeds), st.binary(max_size=64)))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 8, 40, 1_000_000))))
        piece = draw(
            st.one_of(
                st.sampled_from((*NASTY, *HUGE)),
                st.binary(max_size=4),
                st.just(data[start:end] * 2),
            )
        )
        data = data[:start] + piece + data[end:]
    return data


def test_every_parser_has_its_test(targets: Mapping[str, Target]) -> None:
    assert set(targets) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_takes_what_it_should(targets: Mapping[str, Target], name: str) -> None:
    target = targets[name]

    # Again and again, because some read through a client that waits for a moment only.
    assert any(target(seed) for seed in target.seeds * TRIES)


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_raises_nothing_but_our_errors(targets: Mapping[str, Target], name: str) -> None:
    target = targets[name]

    @settings(
        derandomize=True,
        deadline=None,
        max_examples=60,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(target.seeds))
    def feed(data: bytes) -> None:
        target(data)

    feed()


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_once_made_a_parser_fail_is_refused(
    targets: Mapping[str, Target], name: str, data: bytes
) -> None:
    assert not targets[name](data)


@pytest.mark.parametrize("name", NAMES)
def test_a_length_that_lies_takes_no_memory(targets: Mapping[str, Target], name: str) -> None:
    target = targets[name]
    seed = min(target.seeds, key=len)

    tracemalloc.start()
    try:
        for place in range(min(len(seed), 48)):
            for lie in HUGE:
                target(seed[:place] + lie + seed[place + len(lie) :])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < MOST_BYTES
