"""The keys of a board that joins: whole or absent, whenever the power is cut."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from broker.fleet.admission import answer
from broker.fleet.certificates import new_key
from broker.fleet.folder import store
from broker.fleet.invitations import invite
from broker.fleet.root import Root, open_root
from broker.wire.credentials import load_device
from broker.wire.errors import KeyFileError
from broker.wire.join_code import JoinSecret
from broker.wire.joining import Welcome, open_answer
from broker.wire.topics import DeviceId
from firstline.exits import CommandError
from firstline.joining import stage
from firstline.joining.stage import Stage, finish, joined, staged
from tests.asker import POOL, Fleet
from tests.joiner import make_joiner

NOW_S = 1_700_000_000.0
BOARD = DeviceId("board-7")


class PowerCutError(Exception):
    """The board stops here."""


@pytest.fixture
def root(fleet: Fleet) -> Root:
    return open_root(fleet.folder)


@pytest.fixture
def secret(root: Root) -> JoinSecret:
    return invite(root, BOARD, POOL, now_s=NOW_S)[0].opened()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "board" / "keys"


def let_in(root: Root, secret: JoinSecret, at: Stage) -> Welcome:
    got = answer(root, secret.id, at.request, now_s=NOW_S)
    return open_answer(got.wire, secret, at.request)


def join(root: Root, secret: JoinSecret, keys: Path) -> None:
    """What the command does, without a broker."""
    if joined(keys, secret) is None:
        with staged(keys, secret) as at:
            finish(at, let_in(root, secret, at))


def test_a_board_that_joined_has_all_that_an_agent_needs(
    root: Root, secret: JoinSecret, keys: Path
) -> None:
    join(root, secret, keys)

    device = load_device(keys)
    assert (device.fleet, device.device, device.pool) == ("home", BOARD, POOL)
    public = device.signing_key.public_key().public_bytes_raw().hex()
    assert root.roster().devices[BOARD].keys == (public,)
    assert {path.name for path in keys.iterdir()} >= {"tls.key", "tls.pem", "tls-ca.pem"}


def test_nobody_else_can_read_the_keys_of_a_board(
    root: Root, secret: JoinSecret, keys: Path
) -> None:
    join(root, secret, keys)

    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    assert keys.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in keys.parent.iterdir()] == ["keys"]


WRITES = 9  # four files before it asks, five when it is let in


@pytest.mark.parametrize("cut", range(1, WRITES + 1))
def test_a_power_cut_at_any_write_leaves_no_half_and_the_same_command_finishes(
    root: Root, secret: JoinSecret, keys: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    left = iter(range(cut - 1))

    def store_until_cut(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise PowerCutError
        store(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "store", store_until_cut)
        with pytest.raises(PowerCutError):
            join(root, secret, keys)
    assert not keys.exists()

    join(root, secret, keys)

    assert load_device(keys).device == BOARD
    assert root.roster().version == 2


def test_keys_that_wait_for_an_answer_ask_with_the_same_bytes(
    secret: JoinSecret, keys: Path
) -> None:
    with staged(keys, secret) as at:
        first = at.request
    with staged(keys, secret) as at:
        assert at.request == first


def test_another_code_makes_other_keys(secret: JoinSecret, keys: Path) -> None:
    with staged(keys, secret) as at:
        before = (at.folder / "identity.key").read_bytes()
        (at.folder / "left").mkdir()
    with staged(keys, JoinSecret(bytes(32))) as at:
        after = (at.folder / "identity.key").read_bytes()

    assert before != after
    assert not (at.folder / "left").exists()


def test_joining_again_with_the_same_code_changes_nothing(
    root: Root, secret: JoinSecret, keys: Path
) -> None:
    join(root, secret, keys)
    before = {path.name: path.read_bytes() for path in keys.iterdir()}

    join(root, secret, keys)

    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before


def test_an_empty_folder_may_wait_for_the_keys(root: Root, secret: JoinSecret, keys: Path) -> None:
    keys.mkdir(parents=True)

    join(root, secret, keys)

    assert load_device(keys).device == BOARD


def keys_of_another_code(keys: Path) -> None:
    keys.mkdir()
    (keys / "join.json").write_text('{"id":"00","request":"00"}')
    (keys / "device.json").write_text('{"fleet":"home","device":"board-1","pool":"main"}')


OCCUPIED: dict[str, Callable[[Path], object]] = {
    "a file": lambda keys: keys.write_bytes(b""),
    "a folder with something in it": lambda keys: (keys / "deep").mkdir(parents=True),
    "keys of another code": keys_of_another_code,
}


@pytest.mark.parametrize("name", OCCUPIED)
def test_what_is_there_already_is_left_alone(secret: JoinSecret, tmp_path: Path, name: str) -> None:
    OCCUPIED[name](tmp_path / "keys")

    with pytest.raises(CommandError, match="is there already"):
        joined(tmp_path / "keys", secret)


def test_two_joins_at_once_make_one_set_of_keys(secret: JoinSecret, keys: Path) -> None:
    with (
        staged(keys, secret),
        pytest.raises(CommandError, match="another 'firstline join'"),
        staged(keys, secret),
    ):
        pass


def of_another_fleet(root: Root, welcome: Welcome) -> Welcome:
    other = root.authority().new(root.fleet)
    return structs.replace(welcome, authority=other.pem.decode())


def of_another_board(root: Root, welcome: Welcome) -> Welcome:
    made, _ = invite(root, DeviceId("board-8"), POOL, now_s=NOW_S)
    joiner = make_joiner(made.opened())
    got = answer(root, made.opened().id, joiner.wire, now_s=NOW_S)
    return structs.replace(welcome, certificate=joiner.read(got.wire).certificate)


def of_another_key(root: Root, welcome: Welcome) -> Welcome:
    pem = root.authority().client(BOARD, new_key().public_key(), now_s=NOW_S)
    return structs.replace(welcome, certificate=pem.decode())


Spoil = Callable[[Root, Welcome], Welcome]
SPOILT: dict[str, Spoil] = {
    "no root": lambda _, welcome: structs.replace(welcome, root=""),
    "another root": lambda _, welcome: structs.replace(welcome, root="11" * 32),
    "no bundle": lambda _, welcome: structs.replace(welcome, bundle="{}"),
    "another pool": lambda _, welcome: structs.replace(welcome, pool="other"),
    "another fleet": lambda _, welcome: structs.replace(welcome, fleet="other"),
    "another device": lambda _, welcome: structs.replace(welcome, device="board-9"),
    "no authority": lambda _, welcome: structs.replace(welcome, authority=""),
    "another authority": of_another_fleet,
    "no certificate": lambda _, welcome: structs.replace(welcome, certificate="zz"),
    "another board's certificate": of_another_board,
    "a certificate for another key": of_another_key,
    "the authority's own certificate": lambda _, welcome: structs.replace(
        welcome, certificate=welcome.authority
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_an_answer_that_does_not_hold_together_puts_nothing_in_place(
    root: Root, secret: JoinSecret, keys: Path, name: str
) -> None:
    with staged(keys, secret) as at:
        welcome = SPOILT[name](root, let_in(root, secret, at))
        with pytest.raises(KeyFileError):
            finish(at, welcome)

    assert joined(keys, secret) is None
    join(root, secret, keys)
    assert load_device(keys).device == BOARD
