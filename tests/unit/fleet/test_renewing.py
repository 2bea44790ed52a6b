"""New keys for a device: only its newest key may ask, and nothing old comes back."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from broker.fleet.certificates import end_s, new_key
from broker.fleet.devices import list_devices, recorded
from broker.fleet.renewing import OVERLAP_S, Answer, Outcome, drop_old_keys, renew_device
from broker.fleet.root import Root, open_root
from broker.wire.credentials import DeviceCard, load_roster
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.keys import signing_key_name
from broker.wire.renewal import make_request, read_answer
from broker.wire.topics import DeviceId
from tests.asker import FLEET, POOL, Asker, Fleet

NOW_S = 1_800_000_000.0
BOARD = DeviceId("board-1")
CARD = DeviceCard(fleet=FLEET, device=BOARD, pool=POOL)


@pytest.fixture
def root(fleet: Fleet, asker: Asker) -> Root:
    assert asker.route.device == BOARD
    return open_root(fleet.folder)


def old_key(asker: Asker) -> Ed25519PrivateKey:
    return asker.credentials.signing_key


def ask(old: Ed25519PrivateKey, new: Ed25519PrivateKey, card: DeviceCard = CARD) -> bytes:
    return make_request(card, old, new, new_key())


def renew(root: Root, wire: bytes, now_s: float = NOW_S) -> Answer:
    return renew_device(root, BOARD, wire, now_s=now_s)


def is_known(fleet: Fleet, key: Ed25519PrivateKey) -> bool:
    try:
        load_roster(fleet.worker_folder).signing_key(BOARD, signing_key_name(key.public_key()))
    except EnvelopeError:
        return False
    return True


def test_the_old_and_the_new_key_are_both_known_and_the_certificate_is_the_new_ones(
    root: Root, fleet: Fleet, asker: Asker
) -> None:
    new = Ed25519PrivateKey.generate()
    request = ask(old_key(asker), new)

    made = renew(root, request)

    renewed = read_answer(made.wire, request, asker.credentials.root)
    assert (made.outcome, renewed.device) == (Outcome.RENEWED, BOARD)
    assert is_known(fleet, old_key(asker))
    assert is_known(fleet, new)
    record = recorded(fleet.folder, BOARD)
    assert record is not None
    assert record.certificate_end_s == end_s(renewed.certificate.encode()) > NOW_S
    assert record.renewed_s == NOW_S


def test_a_board_that_did_not_hear_asks_again_and_changes_nothing(
    root: Root, fleet: Fleet, asker: Asker
) -> None:
    request = ask(old_key(asker), Ed25519PrivateKey.generate())
    renew(root, request)
    before = list_devices(fleet.folder).roster_version

    again = renew(root, request)

    assert again.outcome is Outcome.REPEATED
    assert read_answer(again.wire, request, asker.credentials.root).device == BOARD
    assert list_devices(fleet.folder).roster_version == before


Attack = Callable[[Root, Ed25519PrivateKey, Path], bytes]


def bring_back(root: Root, old: Ed25519PrivateKey, _: Path) -> bytes:
    """The first request, after a second one was granted."""
    second, third = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    first_request = ask(old, second)
    renew(root, first_request)
    renew(root, ask(second, third))
    return first_request


def with_the_old_key(root: Root, old: Ed25519PrivateKey, _: Path) -> bytes:
    """Somebody has the key that was, and the device a new one."""
    renew(root, ask(old, Ed25519PrivateKey.generate()))
    return ask(old, Ed25519PrivateKey.generate())


def flipped(at: int) -> Attack:
    def forge(_root: Root, old: Ed25519PrivateKey, _folder: Path) -> bytes:
        wire = bytearray(ask(old, Ed25519PrivateKey.generate()))
        wire[at] ^= 1
        return bytes(wire)

    return forge


def passed_off(_root: Root, old: Ed25519PrivateKey, _folder: Path) -> bytes:
    """A new key of somebody else, who signs a wish of his own."""
    mine = ask(Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate())
    true = ask(old, Ed25519PrivateKey.generate())
    return mine.replace(mine.split(b'"by_old":"')[1][:128], true.split(b'"by_old":"')[1][:128])


def resigned(field: str) -> Attack:
    """One of the three signatures is somebody else's."""

    def forge(_root: Root, old: Ed25519PrivateKey, _folder: Path) -> bytes:
        request = json.loads(ask(old, Ed25519PrivateKey.generate()))
        request[field] = Ed25519PrivateKey.generate().sign(b"x").hex()
        return json.dumps(request).encode()

    return forge


ATTACKS: dict[str, Attack] = {
    "no proof of the old key": resigned("by_old"),
    "no proof of the new key": resigned("by_new"),
    "no proof of the TLS key": resigned("by_tls"),
    "by a key of nobody": lambda *_: ask(
        Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    ),
    "an earlier request brought back": bring_back,
    "by the key that it had before": with_the_old_key,
    "for another device": lambda _r, old, _f: ask(
        old, Ed25519PrivateKey.generate(), replace(CARD, device="board-2")
    ),
    "for another fleet": lambda _r, old, _f: ask(
        old, Ed25519PrivateKey.generate(), replace(CARD, fleet="away")
    ),
    "for the key that it has": lambda _r, old, _f: ask(old, old),
    "another's signature on a wish": passed_off,
    "the wish altered": flipped(60),
    "the old key's signature altered": flipped(-400),
    "the TLS key's signature altered": flipped(-20),
    "too long": lambda *_: b" " * 5_000,
    "empty": lambda *_: b"",
    "noise": lambda *_: b"\xff" * 300,
}


@pytest.mark.parametrize("forge", ATTACKS.values(), ids=ATTACKS)
def test_a_forged_request_is_not_answered_and_changes_nothing(
    root: Root, fleet: Fleet, asker: Asker, tmp_path: Path, forge: Attack
) -> None:
    wire = forge(root, old_key(asker), tmp_path)
    before = root.roster()

    made = renew(root, wire)

    assert made == Answer(Outcome.FORGED)
    assert root.roster() == before == load_roster(fleet.worker_folder)


def test_a_revoked_device_and_a_stranger_are_not_answered(
    root: Root, fleet: Fleet, asker: Asker
) -> None:
    request = ask(old_key(asker), Ed25519PrivateKey.generate())
    fleet.revoke(asker)

    assert renew(root, request) == Answer(Outcome.STRANGER)
    assert renew_device(root, DeviceId("ghost"), request, now_s=NOW_S) == Answer(Outcome.STRANGER)


def test_the_answer_to_another_request_is_refused(root: Root, asker: Asker) -> None:
    requests = [ask(old_key(asker), Ed25519PrivateKey.generate()) for _ in range(2)]
    made = renew(root, requests[0])

    with pytest.raises(KeyFileError, match="answers another request"):
        read_answer(made.wire, requests[1], asker.credentials.root)
    with pytest.raises(KeyFileError, match="not signed by the fleet's root"):
        read_answer(made.wire, requests[0], Ed25519PrivateKey.generate().public_key())


def test_a_signed_answer_of_another_shape_is_refused(root: Root, asker: Asker) -> None:
    with pytest.raises(KeyFileError, match="does not match its schema"):
        read_answer(root.sign("renewal", "{}"), b"", asker.credentials.root)


def test_the_old_key_is_taken_away_after_the_overlap(
    root: Root, fleet: Fleet, asker: Asker
) -> None:
    new = Ed25519PrivateKey.generate()
    renew(root, ask(old_key(asker), new))

    early = drop_old_keys(root, now_s=NOW_S + OVERLAP_S - 1)
    late = drop_old_keys(root, now_s=NOW_S + OVERLAP_S)

    assert (early, late) == ([], [BOARD])
    assert is_known(fleet, new)
    assert not is_known(fleet, old_key(asker))
    assert drop_old_keys(root, now_s=NOW_S + OVERLAP_S) == []


def test_no_more_than_two_keys_are_ever_known(root: Root, fleet: Fleet, asker: Asker) -> None:
    keys = [old_key(asker), *(Ed25519PrivateKey.generate() for _ in range(3))]

    for old, new in itertools.pairwise(keys):
        assert renew(root, ask(old, new)).outcome is Outcome.RENEWED

    assert [is_known(fleet, key) for key in keys] == [False, False, True, True]
