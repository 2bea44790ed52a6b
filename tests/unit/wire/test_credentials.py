"""Folders of keys that are missing, altered, or of somebody else: each is told, none is used."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from broker.fleet.root import open_root
from broker.wire import bundle, roster
from broker.wire.bundle import KeyBundle
from broker.wire.credentials import load_device, load_worker
from broker.wire.epochs import read_chains
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.files import write_whole
from broker.wire.keys import (
    PRIVATE_BYTES,
    PoolPrivateKey,
    PoolPublicKey,
    Suite,
    key_name,
    public_bytes,
    signing_key_name,
)
from broker.wire.signed import open_signed, sign
from broker.wire.topics import DeviceId
from tests.asker import Asker, Fleet, make_fleet

Damage = Callable[[Path], None]


def removed(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def holding(name: str, content: bytes) -> Damage:
    return lambda folder: write_whole(folder / name, content)


def edited(name: str, old: str, new: str) -> Damage:
    def damage(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        write_whole(folder / name, text.replace(old, new, 1).encode())

    return damage


DEVICE_DAMAGES: dict[str, tuple[Damage, str]] = {
    "no device.json": (removed("device.json"), "firstline fleet enroll"),
    "no identity.key": (removed("identity.key"), "firstline fleet enroll"),
    "no root.pub": (removed("root.pub"), "firstline fleet enroll"),
    "device.json of another shape": (
        holding("device.json", b'{"fleet":"home"}'),
        "missing required field",
    ),
    "device.json with a bad name": (edited("device.json", "board-1", "Board"), "matching regex"),
    "device.json with a name and a line end": (edited("device.json", "-1", "-1\\n"), "regex"),
    "another pool": (edited("device.json", '"main"', '"other"'), "the bundle of another pool"),
    "another fleet": (edited("device.json", '"home"', '"away"'), "the bundle of another pool"),
    "identity.key too short": (holding("identity.key", b"00"), "not a key of 32 bytes"),
    "storage.key no hexadecimal": (holding("storage.key", b"zz"), "not hexadecimal"),
    "storage.key no text": (holding("storage.key", b"\xff\xfe"), "not hexadecimal"),
    "bundle altered": (edited("bundle.json", "main", "mean"), "not signed by the fleet's root"),
    "bundle without a signature": (holding("bundle.json", b"{}"), "not signed by the fleet's root"),
}
WORKER_DAMAGES: dict[str, tuple[Damage, str]] = {
    "no epochs": (removed("epochs-1.json"), "firstline fleet enroll"),
    "no epoch in a chain": (edited("epochs-1.json", '"count":3', '"count":0'), ">= 1"),
    "a seed that is no hexadecimal": (edited("epochs-1.json", '"seed":"', '"seed":"x'), "regex"),
    "no bundle.json": (removed("bundle.json"), "firstline fleet enroll"),
    "bundle altered": (edited("bundle.json", "main", "mean"), "not signed by the fleet's root"),
    "roster altered": (edited("roster.json", "board-1", "board-2"), "not signed by"),
    "another fleet": (edited("worker.json", '"home"', '"away"'), "the roster of another fleet"),
}


@pytest.mark.parametrize(("damage", "message"), DEVICE_DAMAGES.values(), ids=DEVICE_DAMAGES)
def test_a_damaged_device_folder_is_told(
    fleet: Fleet, asker: Asker, damage: Damage, message: str
) -> None:
    folder = fleet.folder / "devices" / asker.route.device
    damage(folder)

    with pytest.raises(KeyFileError, match=message):
        load_device(folder)


@pytest.mark.parametrize(("damage", "message"), WORKER_DAMAGES.values(), ids=WORKER_DAMAGES)
def test_a_damaged_worker_folder_is_told(
    fleet: Fleet, asker: Asker, damage: Damage, message: str
) -> None:
    assert asker.route.device == "board-1"
    damage(fleet.worker_folder)

    with pytest.raises(KeyFileError, match=message):
        load_worker(fleet.worker_folder)


def test_a_bundle_and_a_roster_of_another_root_are_refused(
    fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    stranger = make_fleet(tmp_path / "stranger")
    stranger.enroll("board-1")
    folder = fleet.folder / "devices" / asker.route.device
    copy(stranger.folder / "devices" / "board-1" / "bundle.json", folder)
    copy(stranger.worker_folder / "roster.json", fleet.worker_folder)

    with pytest.raises(KeyFileError, match="not signed by the fleet's root"):
        load_device(folder)
    with pytest.raises(KeyFileError, match="not signed by the fleet's root"):
        load_worker(fleet.worker_folder)


def test_a_roster_is_not_taken_for_a_bundle(fleet: Fleet, asker: Asker) -> None:
    assert asker.route.device == "board-1"
    key = open_root(fleet.folder).key
    signed = (fleet.worker_folder / "roster.json").read_bytes()

    assert open_signed(roster.LABEL, signed, key.public_key())
    with pytest.raises(KeyFileError, match="key bundle is not signed"):
        open_signed(bundle.LABEL, signed, key.public_key())


NOT_SIGNED = {
    "nothing": b"",
    "no JSON": b"{",
    "no hexadecimal": b'{"signed":"a","signature":"zz"}',
    "a short signature": b'{"signed":"a","signature":"00"}',
    "a field more": b'{"signed":"a","signature":"00","more":1}',
}


@pytest.mark.parametrize("wrapped", NOT_SIGNED.values(), ids=NOT_SIGNED)
def test_what_is_not_signed_is_refused(wrapped: bytes) -> None:
    with pytest.raises(KeyFileError, match="not signed by the fleet's root"):
        open_signed("roster", wrapped, Ed25519PrivateKey.generate().public_key())


def test_a_signed_text_is_given_back_as_it_was() -> None:
    root = Ed25519PrivateKey.generate()
    text = '{"b": 1,  "a": "\u00e9"}'

    assert open_signed("roster", sign("roster", text, root), root.public_key()) == text


def test_a_signed_document_of_another_shape_is_refused() -> None:
    with pytest.raises(KeyFileError, match="roster does not match"):
        roster.Roster.parse("{}")
    with pytest.raises(KeyFileError, match="key bundle does not match"):
        KeyBundle.parse("[]")


def test_the_newest_valid_key_of_the_best_suite_is_taken(asker: Asker) -> None:
    old, classic = asker.credentials.bundle.keys[:2]
    newer, later = (
        replace(old, public=fresh_public(), not_before_s=start_s)
        for start_s in (old.not_before_s + 10, old.not_after_s - 10)
    )
    keys = replace(asker.credentials.bundle, keys=(old, later, newer, classic))
    now_s = old.not_before_s + 20.0

    best = keys.best_key((Suite.XWING, Suite.X25519), now_s)
    without = keys.best_key((Suite.X25519,), now_s)

    assert best.name == key_name(Suite.XWING, bytes.fromhex(newer.public))
    assert without.name == key_name(Suite.X25519, bytes.fromhex(classic.public))


def fresh_public() -> str:
    return public_bytes(Suite.XWING, os.urandom(PRIVATE_BYTES[Suite.XWING])).hex()


@pytest.mark.parametrize("public", ["zz", "00"])
def test_a_bundled_key_that_is_no_key_is_told(asker: Asker, public: str) -> None:
    key = asker.credentials.bundle.keys[0]
    bad = replace(key, public=public)
    keys = replace(asker.credentials.bundle, keys=(bad,))

    with pytest.raises(KeyFileError):
        keys.best_key((key.suite,), key.not_before_s)


@pytest.mark.parametrize("suite", list(Suite))
def test_bytes_that_are_no_key_are_told(suite: Suite) -> None:
    with pytest.raises(KeyFileError, match="not a public key"):
        PoolPublicKey.from_bytes(suite, b"short")
    with pytest.raises(KeyFileError, match="not a private key"):
        PoolPrivateKey.from_bytes(suite, b"short")


def test_an_old_and_a_new_key_of_a_device_are_both_accepted(asker: Asker) -> None:
    old, new = Ed25519PrivateKey.generate().public_key(), asker.credentials.signing_key.public_key()
    keys = tuple(key.public_bytes_raw().hex() for key in (old, new))
    devices = roster.Roster(
        fleet="home", version=1, devices={"board-1": roster.Enrolled(keys=keys)}
    )

    found = [devices.signing_key(asker.route.device, signing_key_name(key)) for key in (old, new)]

    assert found == [old, new]
    with pytest.raises(EnvelopeError):
        devices.signing_key(DeviceId("board-2"), signing_key_name(old))
    with pytest.raises(EnvelopeError):
        devices.signing_key(asker.route.device, bytes(8))


def test_no_private_key_is_shown_when_credentials_are_printed(fleet: Fleet, asker: Asker) -> None:
    worker = load_worker(fleet.worker_folder)
    seed = json.loads((fleet.worker_folder / "epochs-1.json").read_text())["seed"]
    (chain,) = read_chains(fleet.worker_folder).values()

    shown = repr((worker, asker.credentials, chain, next(chain.epochs())))

    assert seed not in shown
    assert asker.credentials.storage_key.hex() not in shown
    assert repr(asker.credentials.storage_key) not in shown


def test_a_file_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.key", b"one")
    write_whole(tmp_path / "a.key", b"two")

    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]
    assert (tmp_path / "a.key").read_bytes() == b"two"
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600
