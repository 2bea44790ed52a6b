"""A board's new keys are put in place whole, wherever a crash comes."""

import shutil
import time
from pathlib import Path

import pytest

from broker.fleet.renewing import renew_device
from broker.fleet.root import open_root
from broker.wire.credentials import load_device
from broker.wire.errors import KeyFileError
from firstline.device_keys import load_settled
from firstline.renewing import grant, request_of, settle
from tests.asker import Asker, Fleet

FILES = ("identity.key", "tls.key", "tls.pem")


@pytest.fixture
def keys(fleet: Fleet, asker: Asker, tmp_path: Path) -> Path:
    """The folder of a board's keys, on the board."""
    folder = fleet.folder / "devices" / asker.route.device
    return Path(shutil.copytree(folder, tmp_path / "keys"))


def granted(fleet: Fleet, asker: Asker, request: bytes) -> bytes:
    root = open_root(fleet.folder)
    return renew_device(root, asker.route.device, request, now_s=time.time()).wire


def contents(keys: Path) -> dict[str, bytes]:
    return {name: (keys / name).read_bytes() for name in FILES}


def test_the_same_request_is_made_until_it_is_granted(keys: Path) -> None:
    assert request_of(keys) == request_of(keys)


def test_new_keys_take_the_place_of_the_old_and_nothing_is_left(
    fleet: Fleet, asker: Asker, keys: Path
) -> None:
    before = contents(keys)
    request = request_of(keys)

    grant(keys, granted(fleet, asker, request))

    assert all(before[name] != content for name, content in contents(keys).items())
    assert not (keys / "renewal").exists()
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    assert request_of(keys) != request


@pytest.mark.parametrize("name", FILES)
def test_a_crash_before_a_file_is_made_good_at_the_next_start(
    fleet: Fleet, asker: Asker, keys: Path, name: str
) -> None:
    answer = granted(fleet, asker, request_of(keys))
    wanted = {each: (keys / "renewal" / each).read_bytes() for each in FILES[:2]}
    old = (keys / name).read_bytes()
    (keys / name).unlink()
    (keys / name).mkdir()  # nothing can be put in its place
    with pytest.raises((OSError, KeyFileError)):
        grant(keys, answer)
    (keys / name).rmdir()
    (keys / name).write_bytes(old)
    if not (keys / "renewal" / "answer.json").exists():  # it could not even read its old key
        grant(keys, answer)

    found = load_settled(keys)

    assert {each: (keys / each).read_bytes() for each in wanted} == wanted
    assert found.signing_key.private_bytes_raw().hex().encode() == wanted["identity.key"]
    assert not (keys / "renewal").exists()


def test_a_removal_that_was_cut_short_begins_nothing_again(
    fleet: Fleet, asker: Asker, keys: Path
) -> None:
    request = request_of(keys)
    answer = granted(fleet, asker, request)
    shutil.copytree(keys / "renewal", keys.parent / "copy")
    grant(keys, answer)
    after = contents(keys)
    shutil.copytree(keys.parent / "copy", keys / "renewal")
    (keys / "renewal" / "done.json").write_bytes(answer)

    assert settle(keys) is False

    assert contents(keys) == after
    assert request_of(keys) != request


def test_without_a_grant_the_old_keys_are_used(keys: Path) -> None:
    before = contents(keys)
    request_of(keys)

    load_settled(keys)

    assert contents(keys) == before


def other_board(fleet: Fleet, asker: Asker, keys: Path) -> bytes:
    """A true answer, to another board."""
    other = fleet.enroll("board-2")
    folder = keys.parent / "other"
    shutil.copytree(fleet.folder / "devices" / other.route.device, folder)
    assert other.route.device != asker.route.device
    return granted(fleet, other, request_of(folder))


FORGED = {
    "nothing": lambda *_: b"",
    "noise": lambda *_: b"\xff" * 300,
    "the roster": lambda fleet, *_: (fleet.folder / "roster.json").read_bytes(),
    "another board's": other_board,
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_grant_changes_nothing(fleet: Fleet, asker: Asker, keys: Path, name: str) -> None:
    before = contents(keys)
    request_of(keys)

    with pytest.raises(KeyFileError):
        grant(keys, FORGED[name](fleet, asker, keys))

    assert contents(keys) == before
    assert load_device(keys).device == asker.route.device
