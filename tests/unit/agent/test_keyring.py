"""Key bundles that come to a device: only what the root signed, and never back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.store.keyring import Keyring
from broker.fleet.epochs import DAY_S, EpochPlan
from broker.fleet.root import open_root
from broker.wire import bundle as bundles
from broker.wire.bundle import KeyBundle, open_bundle
from broker.wire.credentials import load_device
from broker.wire.errors import KeyFileError
from broker.wire.keys import supported_suites
from broker.wire.signed import sign
from broker.wire.topics import PoolId
from tests.asker import Asker, Fleet, make_fleet


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bundle.json"


def ring(asker: Asker, file: Path) -> Keyring:
    return Keyring(asker.credentials, suites=supported_suites(), file=file)


def altered(wrapped: bytes) -> bytes:
    """One letter of what is signed."""
    return wrapped.replace(b"main", b"mean", 1)


def signed(fleet: Fleet, change: Callable[[KeyBundle], KeyBundle]) -> bytes:
    """A bundle that the true root signed, changed."""
    key = open_root(fleet.folder).key
    bundle, _ = open_bundle(fleet.bundle(), key.public_key())
    return sign(bundles.LABEL, change(bundle).write().decode(), key)


def by_another_root(folder: Path) -> bytes:
    stranger = make_fleet(folder / "stranger")
    stranger.enroll("board-1")
    stranger.renew()
    return stranger.renew()


def of_another_pool(fleet: Fleet) -> bytes:
    fleet.enroll("board-9", PoolId("other"))
    return (fleet.folder / "pools" / "other" / "bundle.json").read_bytes()


def a_roster(fleet: Fleet) -> bytes:
    return (fleet.folder / "roster.json").read_bytes()


def first_keys_again(bundle: KeyBundle) -> KeyBundle:
    """Half of one bundle, half of another."""
    return replace(bundle, keys=bundle.keys[:1])


Forge = Callable[[Fleet, bytes, Path], bytes]
ATTACKS: dict[str, tuple[Forge, str]] = {
    "an older version": (lambda _f, old, _t: old, "version 1 after 2"),
    "the same version with other keys": (
        lambda fleet, _o, _t: signed(fleet, first_keys_again),
        "two key bundles of version 2",
    ),
    "altered": (lambda fleet, _o, _t: altered(fleet.bundle()), "not signed"),
    "cut": (lambda fleet, _o, _t: fleet.bundle()[:-9], "not signed"),
    "the text of one, the signature of another": (
        lambda fleet, old, _t: (
            old.rpartition(b'"signature"')[0]
            + b'"signature"'
            + fleet.bundle().rpartition(b'"signature"')[2]
        ),
        "not signed",
    ),
    "signed by another root": (lambda _f, _o, t: by_another_root(t), "not signed"),
    "of another pool": (lambda fleet, _o, _t: of_another_pool(fleet), "of another pool"),
    "a roster": (lambda fleet, _o, _t: a_roster(fleet), "not signed"),
    "of another fleet": (
        lambda fleet, _o, _t: signed(fleet, lambda b: replace(b, fleet="away", version=9)),
        "of another pool",
    ),
    "no key in it": (
        lambda fleet, _o, _t: fleet.bundle().replace(b"keys", b"kets"),
        "not signed",
    ),
    "noise": (lambda _f, _o, _t: b"\xff" * 300, "not signed"),
    "nothing, as who removes a retained message": (lambda _f, _o, _t: b"", "not signed"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_bundle_that_is_not_the_next_is_refused_and_the_old_one_stays(
    fleet: Fleet, asker: Asker, file: Path, attack: tuple[Forge, str]
) -> None:
    forge, why = attack
    old = asker.credentials.wrapped_bundle
    keyring = ring(asker, file)
    keyring.take(fleet.renew())
    bundle = keyring.bundle

    with pytest.raises(KeyFileError, match=why):
        keyring.take(forge(fleet, old, file.parent))

    assert keyring.bundle is bundle
    assert ring(asker, file).bundle == bundle


def test_the_next_bundle_is_taken_once_and_survives_a_restart(
    fleet: Fleet, asker: Asker, file: Path
) -> None:
    keyring = ring(asker, file)
    wrapped = fleet.renew()

    taken = [keyring.take(wrapped) for _ in range(2)]

    assert taken == [True, False]
    assert ring(asker, file).bundle.version == 2


def test_the_same_bundle_in_other_bytes_is_nothing_new(
    fleet: Fleet, asker: Asker, file: Path
) -> None:
    keyring = ring(asker, file)

    assert keyring.take(b" " + fleet.bundle()) is False


def test_an_old_bundle_in_the_device_folder_is_not_taken_at_the_next_start(
    fleet: Fleet, asker: Asker, file: Path
) -> None:
    folder = fleet.folder / "devices" / asker.route.device
    old = (folder / "bundle.json").read_bytes()
    fleet.renew()
    newest = ring(Asker(load_device(folder)), file).bundle
    (folder / "bundle.json").write_bytes(old)

    assert ring(Asker(load_device(folder)), file).bundle == newest


def test_a_newer_bundle_in_the_device_folder_is_taken_at_the_next_start(
    fleet: Fleet, asker: Asker, file: Path
) -> None:
    ring(asker, file)
    fleet.renew()
    folder = fleet.folder / "devices" / asker.route.device

    assert ring(Asker(load_device(folder)), file).bundle.version == 2


def test_a_damaged_kept_bundle_gives_way_to_the_one_in_the_device_folder(
    asker: Asker, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(b"{}")

    keyring = ring(asker, file)

    assert keyring.bundle == asker.credentials.bundle
    assert "is not used" in caplog.text


def test_a_disk_that_refuses_a_new_bundle_is_told_and_the_bundle_holds(
    fleet: Fleet, asker: Asker, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keyring = ring(asker, file)
    file.unlink()
    file.mkdir()  # nothing can be put in its place

    assert keyring.take(fleet.renew())

    assert keyring.bundle.version == 2
    assert "is not kept" in caplog.text


def test_a_bundle_that_is_never_renewed_expires(asker: Asker, file: Path) -> None:
    keyring = ring(asker, file)
    end_s = keyring.bundle.ends_s

    assert keyring.best_key(end_s - 1).suite in supported_suites()
    with pytest.raises(KeyFileError, match="no key of pool main is valid now"):
        keyring.best_key(end_s)


def test_every_epoch_has_its_key_whatever_was_asked_before(asker: Asker, file: Path) -> None:
    keyring, bundle = ring(asker, file), asker.credentials.bundle
    starts_s = sorted({key.not_before_s for key in bundle.keys})
    times_s = [time_s + more_s for time_s in starts_s for more_s in (0, DAY_S - 1, 1)]

    found = [keyring.best_key(time_s).name for time_s in times_s]

    assert found == [bundle.best_key(supported_suites(), time_s).name for time_s in times_s]
    assert len(set(found)) == len(starts_s)


def test_a_bundle_of_keys_that_are_over_gives_no_key(
    fleet: Fleet, asker: Asker, file: Path
) -> None:
    keyring = ring(asker, file)
    now_s = float(keyring.bundle.made_s + DAY_S // 2)
    keyring.take(fleet.renew(EpochPlan(epochs=1), now_s=now_s - 9 * DAY_S))

    with pytest.raises(KeyFileError, match="no key of pool main is valid now"):
        keyring.best_key(now_s)


def test_a_bundle_of_tomorrow_gives_no_key_today(fleet: Fleet, asker: Asker, file: Path) -> None:
    keyring = ring(asker, file)
    now_s = float(keyring.bundle.made_s + DAY_S // 2)
    keyring.take(fleet.renew(now_s=now_s + DAY_S))

    with pytest.raises(KeyFileError, match="no key of pool main is valid now"):
        keyring.best_key(now_s)


def test_what_was_sealed_in_time_opens_for_the_grace(asker: Asker, file: Path) -> None:
    keyring = ring(asker, file)
    key = keyring.bundle.keys[0]
    until_s = key.not_after_s + keyring.bundle.grace_s

    assert keyring.opens(key.name, until_s - 1)
    assert not keyring.opens(key.name, until_s)
    assert not keyring.opens(b"unknown!", 0)
