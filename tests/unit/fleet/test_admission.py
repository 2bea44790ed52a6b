"""What the operator answers a board that asks to join, and what the fleet is afterwards."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from broker.fleet import devices, invitations, pools
from broker.fleet import root as roots
from broker.fleet.admission import Outcome, answer
from broker.fleet.certificates import new_key
from broker.fleet.devices import list_devices, revoke
from broker.fleet.errors import FleetError
from broker.fleet.folder import store
from broker.fleet.invitations import LIFE_S, invite
from broker.fleet.root import Root, open_root
from broker.wire.credentials import load_roster
from broker.wire.errors import EnvelopeError, JoinRefusedError
from broker.wire.join_code import JoinSecret
from broker.wire.joining import seal_request
from broker.wire.topics import DeviceId, PoolId
from tests.asker import POOL, Fleet
from tests.joiner import Joiner, make_joiner

NOW_S = 1_700_000_000.0
BOARD = DeviceId("board-7")
OTHER = JoinSecret(bytes(32))


@pytest.fixture
def root(fleet: Fleet) -> Root:
    return open_root(fleet.folder)


@pytest.fixture
def secret(root: Root) -> JoinSecret:
    """What the code of one invitation opens."""
    made, code = invite(root, BOARD, POOL, now_s=NOW_S)
    assert made.opened() == code.secret(root.fleet)
    return made.opened()


def ask(root: Root, joiner: Joiner, *, later_s: float = 1.0) -> Outcome:
    """Ask; a board that is not let in must be told so, or nothing."""
    got = answer(root, joiner.secret.id, joiner.wire, now_s=NOW_S + later_s)
    if got.outcome in (Outcome.ADMITTED, Outcome.REPEATED):
        assert joiner.read(got.wire).device == got.device
    elif got.wire:
        with pytest.raises(JoinRefusedError, match=got.outcome):
            joiner.read(got.wire)
    return got.outcome


def keys_of(root: Root) -> dict[str, tuple[str, ...]]:
    return {name: each.keys for name, each in root.roster().devices.items()}


def public(joiner: Joiner) -> tuple[str, ...]:
    return (joiner.signing.public_key().public_bytes_raw().hex(),)


def test_a_board_that_has_the_code_becomes_the_invited_device(
    fleet: Fleet, root: Root, secret: JoinSecret
) -> None:
    joiner = make_joiner(secret)

    got = answer(root, secret.id, joiner.wire, now_s=NOW_S)

    welcome = joiner.read(got.wire)
    certificate = x509.load_pem_x509_certificate(welcome.certificate.encode())
    assert (got.outcome, welcome.fleet, welcome.device, welcome.pool) == (
        *(Outcome.ADMITTED, "home", BOARD, POOL),
    )
    assert certificate.public_key() == joiner.tls.public_key()
    assert certificate.subject.rfc4514_string() == f"CN={BOARD}"
    assert load_roster(fleet.worker_folder).devices[BOARD].keys == public(joiner)
    (listed,) = list_devices(fleet.folder).listed
    assert listed.record is not None
    assert (listed.record.pool, listed.record.since_s) == (POOL, NOW_S)


def test_a_board_that_asks_again_gets_the_same_bytes_and_the_fleet_does_not_change(
    root: Root, secret: JoinSecret
) -> None:
    joiner = make_joiner(secret)
    first, *again = (
        answer(root, secret.id, joiner.wire, now_s=NOW_S + later_s) for later_s in (0, 1, LIFE_S)
    )

    assert [(each.outcome, each.wire) for each in again] == [(Outcome.REPEATED, first.wire)] * 2
    assert root.roster().version == 2


def test_of_two_boards_with_one_code_the_first_is_let_in_and_the_second_is_told(
    root: Root, secret: JoinSecret
) -> None:
    first, second = make_joiner(secret), make_joiner(secret)

    assert [ask(root, each) for each in (first, second, first, second)] == [
        *(Outcome.ADMITTED, Outcome.USED, Outcome.REPEATED, Outcome.USED),
    ]
    assert keys_of(root) == {BOARD: public(first)}


def test_a_code_that_is_used_brings_no_second_certificate_for_the_same_device_key(
    root: Root, secret: JoinSecret
) -> None:
    first = make_joiner(secret)
    other_tls = new_key()
    second = replace(first, tls=other_tls, wire=seal_request(secret, first.signing, other_tls))

    assert [ask(root, each) for each in (first, second)] == [Outcome.ADMITTED, Outcome.USED]


def test_a_code_ends(root: Root, secret: JoinSecret) -> None:
    joiner = make_joiner(secret)

    assert ask(root, joiner, later_s=LIFE_S) == Outcome.EXPIRED
    assert ask(root, joiner, later_s=LIFE_S - 1) == Outcome.ADMITTED


def test_a_thousand_guesses_change_nothing_and_the_board_is_let_in(
    root: Root, secret: JoinSecret
) -> None:
    before = (root.folder / "roster.json").read_bytes()
    guess = make_joiner(OTHER)

    guesses = [
        answer(root, name, guess.wire, now_s=NOW_S) for name in [secret.id] * 500 + [OTHER.id] * 500
    ]

    assert {each.outcome for each in guesses} == {Outcome.UNREADABLE, Outcome.UNKNOWN}
    assert {each.wire for each in guesses} == {b""}
    assert (root.folder / "roster.json").read_bytes() == before
    assert ask(root, make_joiner(secret)) == Outcome.ADMITTED


def test_an_answer_is_for_the_board_that_asked(root: Root, secret: JoinSecret) -> None:
    made, _ = invite(root, DeviceId("board-8"), POOL, now_s=NOW_S)
    one, other = make_joiner(secret), make_joiner(made.opened())
    answers = [answer(root, each.secret.id, each.wire, now_s=NOW_S).wire for each in (one, other)]

    with pytest.raises(EnvelopeError):
        other.read(answers[0])
    with pytest.raises(EnvelopeError):
        one.read(answers[1])
    with pytest.raises(EnvelopeError):
        make_joiner(secret).read(answers[0])


def test_an_earlier_code_of_a_device_is_void(root: Root, secret: JoinSecret) -> None:
    newer, _ = invite(root, BOARD, POOL, now_s=NOW_S)

    assert ask(root, make_joiner(secret)) == Outcome.UNKNOWN
    assert ask(root, make_joiner(newer.opened())) == Outcome.ADMITTED


def test_a_device_that_was_enrolled_meanwhile_keeps_its_keys(
    fleet: Fleet, root: Root, secret: JoinSecret
) -> None:
    asker = fleet.enroll(BOARD)

    assert ask(root, make_joiner(secret)) == Outcome.USED
    key = asker.credentials.signing_key.public_key().public_bytes_raw().hex()
    assert keys_of(root) == {BOARD: (key,)}


def test_an_answer_that_fits_into_no_message_changes_nothing(
    root: Root, secret: JoinSecret
) -> None:
    bundle = root.folder / "pools" / POOL / "bundle.json"
    before = bundle.read_bytes()
    bundle.write_text("x" * 128 * 1024)

    with pytest.raises(FleetError, match="enroll --folder"):
        ask(root, make_joiner(secret))

    assert keys_of(root) == {}
    bundle.write_bytes(before)
    assert ask(root, make_joiner(secret)) == Outcome.ADMITTED


def cut_short(root: Root, joiner: Joiner) -> None:
    """Stop between the roster and the invitation."""
    path = root.folder / "invitations" / f"{joiner.secret.id}.json"
    before = path.read_bytes()
    assert ask(root, joiner) == Outcome.ADMITTED
    store(path, before)


class PowerCutError(Exception):
    """The operator's machine stops here."""


WRITES = 4  # the record, the roster, the worker's roster, the invitation


@pytest.mark.parametrize("cut", range(1, WRITES + 1))
def test_an_admission_that_is_cut_at_any_write_is_finished_for_the_same_board(
    root: Root, secret: JoinSecret, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    joiner, left = make_joiner(secret), iter(range(cut - 1))

    def store_until_cut(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise PowerCutError
        store(path, content)

    with monkeypatch.context() as patch:
        for module in (devices, invitations, roots):
            patch.setattr(module, "store", store_until_cut)
        with pytest.raises(PowerCutError):
            ask(root, joiner)

    assert [ask(root, joiner) for _ in range(2)] == [Outcome.ADMITTED, Outcome.REPEATED]
    assert (keys_of(root), root.roster().version) == ({BOARD: public(joiner)}, 2)
    workers = pools.worker_folder(root.folder, POOL)
    assert load_roster(workers).devices[BOARD].keys == public(joiner)


def test_an_admission_that_was_cut_short_lets_no_other_board_in(
    root: Root, secret: JoinSecret
) -> None:
    cut_short(root, make_joiner(secret))

    assert ask(root, make_joiner(secret)) == Outcome.USED


def test_an_admission_that_was_cut_short_is_not_finished_once_it_is_revoked(
    root: Root, secret: JoinSecret
) -> None:
    joiner = make_joiner(secret)
    cut_short(root, joiner)
    revoke(root, BOARD)

    assert ask(root, joiner) == Outcome.USED


def test_the_workers_of_every_pool_know_the_new_device(root: Root, secret: JoinSecret) -> None:
    pools.add(root.folder, PoolId("other"), now_s=NOW_S)
    ask(root, make_joiner(secret))

    for pool in (POOL, PoolId("other")):
        assert set(load_roster(pools.worker_folder(root.folder, pool)).devices) == {BOARD}
