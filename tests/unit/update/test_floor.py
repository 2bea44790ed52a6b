"""The floor: what it refuses, and that it survives whatever becomes of one of its copies."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.update.errors import RefusedError
from agent.update.floor import Chosen, Floor, Seen

KEY = bytes(range(32))
PATH = "rollout/all/lights.json"
SEEN = Seen(
    root=3,
    epoch="a",
    timestamp=9,
    snapshot=8,
    targets=7,
    rollout=6,
    signed_s=1_000,
    choosers="x",
    rollouts={PATH: Chosen(number=5, digest="00")},
)
RISING = ("timestamp", "snapshot", "targets", "rollout", "signed_s", "root")
Harm = Callable[[Path], object]


def changed(**fields: object) -> Seen:
    """The same but for some fields."""
    return Seen(**{**{name: getattr(SEEN, name) for name in SEEN.__struct_fields__}, **fields})


@pytest.mark.parametrize(
    "role", ["timestamp", "snapshot", "targets", "rollout", "signed_s", "root"]
)
def test_nothing_comes_down(role: str) -> None:
    with pytest.raises(RefusedError):
        SEEN.then(changed(**{role: getattr(SEEN, role) - 1}))


@pytest.mark.parametrize(
    "role", ["timestamp", "snapshot", "targets", "rollout", "signed_s", "root"]
)
def test_everything_may_stay_or_rise(role: str) -> None:
    risen = changed(**{role: getattr(SEEN, role) + 1})

    assert SEEN.then(SEEN) == SEEN
    assert SEEN.then(risen) == risen


def test_a_newer_root_with_other_online_keys_begins_anew() -> None:
    fresh = changed(root=4, epoch="b", timestamp=1, snapshot=1, targets=1, rollout=1, signed_s=1)

    assert SEEN.then(fresh) == fresh


def test_other_online_keys_under_the_same_root_are_refused() -> None:
    with pytest.raises(RefusedError, match="two roots of version 3"):
        SEEN.then(changed(epoch="b"))


def test_an_older_root_is_refused_whatever_keys_it_names() -> None:
    with pytest.raises(RefusedError, match="root 2 after 3"):
        SEEN.then(changed(root=2, epoch="b"))


def test_numbers_of_rollouts_hold_until_another_key_chooses() -> None:
    assert SEEN.then(changed(choosers="x")).rollouts == SEEN.rollouts
    assert SEEN.then(changed(choosers="y")).rollouts == {}


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (Chosen(number=4, digest="00"), "rollout 4 after 5"),
        (Chosen(number=5, digest="11"), "two rollouts of number 5"),
    ],
)
def test_a_rollout_that_is_older_or_another_of_its_number_is_refused(
    chosen: Chosen, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        SEEN.chose(PATH, chosen)


def test_rollouts_of_two_packages_do_not_hinder_each_other() -> None:
    both = SEEN.chose("rollout/all/heating.json", Chosen(number=1, digest="22"))

    assert {path: each.number for path, each in both.rollouts.items()} == {
        PATH: 5,
        "rollout/all/heating.json": 1,
    }


def kept(folder: Path, seen: Seen = SEEN) -> Path:
    file = folder / "update-floor"
    Floor(file, KEY).keep(seen)
    return file


def remove(path: Path) -> None:
    path.unlink()


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def raise_it(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"timestamp":9', b'"timestamp":1'))


@pytest.mark.parametrize("harm", [remove, zero, empty, halve, raise_it])
@pytest.mark.parametrize("ending", ["a", "b"])
def test_one_copy_is_enough_and_gives_the_other_back(
    tmp_path: Path, ending: str, harm: Harm
) -> None:
    file = kept(tmp_path)
    first, second = (file.with_name(f"{file.name}.{each}") for each in "ab")
    harm(tmp_path / f"update-floor.{ending}")

    seen = Floor(file, KEY).seen

    assert seen.timestamp == SEEN.timestamp
    assert first.read_bytes() == second.read_bytes()


def test_a_copy_of_long_ago_does_not_count(tmp_path: Path) -> None:
    file = kept(tmp_path)
    old = (tmp_path / "update-floor.b").read_bytes()
    Floor(file, KEY).keep(changed(timestamp=10))
    (tmp_path / "update-floor.b").write_bytes(old)

    assert Floor(file, KEY).seen.timestamp == 10


def test_a_copy_that_another_board_sealed_is_damage_and_is_counted(tmp_path: Path) -> None:
    file = kept(tmp_path)

    other = Floor(file, bytes(32))

    assert (other.seen, other.damaged) == (Seen(), 2)


def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    file = kept(tmp_path)
    before = (tmp_path / "update-floor.a").stat().st_mtime_ns

    floor = Floor(file, KEY)
    floor.keep(floor.seen)

    assert (tmp_path / "update-floor.a").stat().st_mtime_ns == before


_SEEN = st.builds(
    Seen,
    root=st.integers(0, 3),
    epoch=st.sampled_from("ab"),
    timestamp=st.integers(0, 3),
    snapshot=st.integers(0, 3),
    targets=st.integers(0, 3),
    rollout=st.integers(0, 3),
    signed_s=st.integers(0, 3),
)


@given(st.lists(_SEEN, max_size=12))
def test_whatever_is_offered_nothing_comes_down_but_by_a_newer_root(offers: list[Seen]) -> None:
    floor = Seen()
    for offer in offers:
        before = floor
        try:
            floor = floor.then(offer)
        except RefusedError:
            continue
        assert floor.root >= before.root
        if floor.epoch == before.epoch:
            for role in ("timestamp", "snapshot", "targets", "rollout", "signed_s"):
                assert getattr(floor, role) >= getattr(before, role)
        else:
            assert floor.root > before.root
