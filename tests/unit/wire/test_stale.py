"""The worker's word that a question's key is gone: proven, and tied to one seal of one question."""

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.wire.errors import EnvelopeError
from broker.wire.stale import Stale, is_stale, open_stale, sign_stale

KEY = Ed25519PrivateKey.generate()
BOUND = b"b" * 32
NOW_S = 1_800_000_000
WORD = sign_stale(NOW_S, bound=BOUND, notice_key=KEY)


def test_it_tells_the_workers_clock() -> None:
    assert is_stale(WORD)
    assert open_stale(WORD, bound=BOUND, notice_key=KEY.public_key()) == Stale(NOW_S)


def flipped(at: int) -> bytes:
    return WORD[:at] + bytes([WORD[at] ^ 1]) + WORD[at + 1 :]


ATTACKS: dict[str, Callable[[], bytes]] = {
    "another question's": lambda: sign_stale(NOW_S, bound=b"c" * 32, notice_key=KEY),
    "by another key": lambda: sign_stale(
        NOW_S, bound=BOUND, notice_key=Ed25519PrivateKey.generate()
    ),
    "another time": lambda: flipped(19),
    "another signature": lambda: flipped(len(WORD) - 1),
}


@pytest.mark.parametrize("forge", ATTACKS.values(), ids=ATTACKS)
def test_a_forged_one_is_refused(forge: Callable[[], bytes]) -> None:
    assert is_stale(forge())
    with pytest.raises(EnvelopeError):
        open_stale(forge(), bound=BOUND, notice_key=KEY.public_key())


OTHERS = {
    "nothing": b"",
    "cut": WORD[:-1],
    "longer": WORD + b"\0",
    "another label": flipped(0),
    "a sealed reply": os.urandom(312),
}


@pytest.mark.parametrize("wire", OTHERS.values(), ids=OTHERS)
def test_what_has_another_form_is_not_taken_for_one(wire: bytes) -> None:
    assert not is_stale(wire)
