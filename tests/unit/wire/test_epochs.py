"""A pool's epochs: which keys a chain gives, and that those which are over cannot be had again."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from broker.wire.bundle import BundledKey, KeyBundle
from broker.wire.epochs import EpochChain, Opened, open_epochs, read_chains
from broker.wire.errors import KeyFileError
from broker.wire.keys import PoolPrivateKey, Suite, key_name, public_bytes

START_S, EPOCH_S, GRACE_S, COUNT = 1_000_000, 100, 10, 4
CHAIN = EpochChain(
    version=2, start_s=START_S, epoch_s=EPOCH_S, count=COUNT, seed="07" * 32, notice="05" * 32
)
OTHER = replace(CHAIN, version=3, count=1, seed="08" * 32, notice="06" * 32)


def names(chain: EpochChain) -> list[bytes]:
    """The key names of a chain, epoch by epoch."""
    return [
        PoolPrivateKey.from_bytes(suite, private).name
        for epoch in chain.epochs()
        for suite, private in epoch.private.items()
    ]


def bundle_of(*chains: EpochChain, version: int = 2) -> KeyBundle:
    keys = [
        BundledKey(
            suite=suite,
            public=public_bytes(suite, private).hex(),
            not_before_s=epoch.not_before_s,
            not_after_s=epoch.not_after_s,
        )
        for chain in chains
        for epoch in chain.epochs()
        for suite, private in epoch.private.items()
    ]
    return KeyBundle(
        fleet="home",
        pool="main",
        version=version,
        grace_s=GRACE_S,
        notice_key="00" * 32,
        keys=tuple(keys),
    )


@contextmanager
def no_room() -> Iterator[None]:
    """The disk takes not one byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "epochs-2.json").write_bytes(CHAIN.write())
    return tmp_path


def look(folder: Path, now_s: float, bundle: KeyBundle | None = None) -> Opened:
    return open_epochs(folder, bundle or bundle_of(CHAIN), now_s=now_s)


def test_epochs_follow_each_other_without_a_gap() -> None:
    times = [(epoch.not_before_s, epoch.not_after_s) for epoch in CHAIN.epochs()]

    assert times == [(START_S + n * EPOCH_S, START_S + (n + 1) * EPOCH_S) for n in range(COUNT)]


def test_every_epoch_and_suite_has_a_key_of_its_own() -> None:
    assert len(set(names(CHAIN))) == COUNT * len(Suite)


def test_a_chain_that_moves_on_has_the_same_later_keys_and_no_earlier_ones() -> None:
    later = CHAIN.without(2)

    assert later is not None
    assert names(later) == names(CHAIN)[2 * len(Suite) :]
    assert (later.start_s, later.count) == (START_S + 2 * EPOCH_S, 2)
    assert CHAIN.seed not in later.write().decode()


def test_a_chain_ends() -> None:
    assert CHAIN.without(COUNT) is None


def test_the_derivation_is_the_one_that_operators_and_workers_agreed_on() -> None:
    found = [name.hex() for name in names(CHAIN)[:2]]

    assert found == ["e61cb55fe4a63a2d", "e27a7b4f003bbe49"]


SCHEDULE = {
    "before it begins": (START_S - 1_000, COUNT, 0),
    "in its first epoch": (START_S + 1, COUNT, 0),
    "in the first epoch's grace": (START_S + EPOCH_S + GRACE_S - 1, COUNT, 0),
    "when that grace is over": (START_S + EPOCH_S + GRACE_S, COUNT - 1, 1),
    "in its last grace": (START_S + COUNT * EPOCH_S + GRACE_S - 1, 1, COUNT - 1),
    "when all is over": (START_S + COUNT * EPOCH_S + GRACE_S, 0, COUNT),
    "years later": (START_S + 10**8, 0, COUNT),
}


@pytest.mark.parametrize(("now_s", "left", "deleted"), SCHEDULE.values(), ids=SCHEDULE)
def test_private_keys_are_deleted_on_schedule(
    folder: Path, now_s: float, left: int, deleted: int
) -> None:
    opened = look(folder, now_s)

    kept = [chain.count for chain in read_chains(folder).values()]
    assert (len(opened.keys), opened.deleted) == (left * len(Suite), deleted)
    assert kept == ([left] if left else [])
    assert list(opened.keys) == names(CHAIN)[(COUNT - left) * len(Suite) :]


def test_the_next_look_is_due_when_the_next_grace_is_over(folder: Path) -> None:
    assert look(folder, START_S + 1).due_s == START_S + EPOCH_S + GRACE_S
    assert look(folder, START_S + 2 * EPOCH_S).due_s == START_S + 2 * EPOCH_S + GRACE_S


def test_what_is_deleted_is_told_once(folder: Path) -> None:
    now_s = START_S + EPOCH_S + GRACE_S

    assert [look(folder, now_s).deleted for _ in range(2)] == [1, 0]


def test_an_old_copy_of_the_file_gives_back_no_key_that_is_over(folder: Path) -> None:
    now_s = START_S + EPOCH_S + GRACE_S
    look(folder, now_s)
    (folder / "epochs-2.json").write_bytes(CHAIN.write())

    opened = look(folder, now_s)

    assert list(opened.keys) == names(CHAIN)[len(Suite) :]
    assert opened.deleted == 1


def test_a_chain_that_a_later_bundle_withdraws_is_deleted_at_once(folder: Path) -> None:
    (folder / "epochs-3.json").write_bytes(OTHER.write())

    opened = look(folder, START_S + 1, bundle_of(OTHER, version=3))

    assert list(read_chains(folder)) == [folder / "epochs-3.json"]
    assert (list(opened.keys), opened.deleted) == (names(OTHER), COUNT)


def test_a_chain_whose_bundle_has_not_come_yet_is_kept(folder: Path) -> None:
    (folder / "epochs-3.json").write_bytes(OTHER.write())

    opened = look(folder, START_S + 1)

    assert set(opened.keys) == {*names(CHAIN), *names(OTHER)}


def test_a_disk_that_keeps_what_is_over_is_told_and_the_key_is_not_used(folder: Path) -> None:
    now_s = START_S + EPOCH_S + GRACE_S

    with no_room():
        opened = look(folder, now_s)

    assert (opened.deleted, opened.undeleted) == (0, 1)
    assert list(opened.keys) == names(CHAIN)[len(Suite) :]
    assert look(folder, now_s).deleted == 1


DAMAGES = {
    "no JSON": b"{",
    "no epoch": CHAIN.write().replace(b'"count":4', b'"count":0'),
    "more epochs than anybody makes": CHAIN.write().replace(b'"count":4', b'"count":99999'),
    "a seed too short": CHAIN.write().replace(b'"0707', b'"07'),
    "a field more": CHAIN.write().replace(b"{", b'{"more":1,'),
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_chain_is_told(folder: Path, content: bytes) -> None:
    (folder / "epochs-2.json").write_bytes(content)

    with pytest.raises(KeyFileError, match=r"epochs-2\.json"):
        look(folder, START_S)


def test_no_seed_is_shown_when_a_chain_is_printed() -> None:
    shown = repr((CHAIN, list(CHAIN.epochs())))

    assert CHAIN.seed not in shown
    assert CHAIN.notice not in shown
    assert repr(next(CHAIN.epochs()).private[Suite.X25519]) not in shown


def test_a_key_of_a_chain_is_named_as_the_bundle_names_it() -> None:
    bundled = [key_name(key.suite, bytes.fromhex(key.public)) for key in bundle_of(CHAIN).keys]

    assert bundled == names(CHAIN)
    assert list(bundle_of(CHAIN).names()) == bundled
