from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from agent.stages import Asked, Delivery, Draft, Origin, Vault
from agent.store.errors import StoreError
from agent.store.memo import Memo, Safe
from broker.wire.envelope import ReplyKey

FIRST, SECOND = UUID(int=1), UUID(int=2)
ASKED = Asked(
    ticket=FIRST,
    task="home",
    source="a.txt",
    started_s=12.5,
    vault=Vault({"<EMAIL_1>": "bob@example.org"}),
    draft=Draft("lights_on", 0.4, "m 1", elapsed_ms=1.5),
    confidence=0.3,
    flags=("truncated",),
)
MEMO = Memo(ASKED, ReplyKey(b"s" * 32, b"b" * 32), question=b"\x00masked\xff", pool_key=b"12345678")
DELIVERY = Delivery(
    ticket=FIRST,
    task="home",
    source="a.txt",
    answer="bob@example.org",
    origin=Origin.CLOUD,
    confidence=0.9,
    model="large 1",
    elapsed_ms=20.0,
    flags=("a",),
)
SAFE = Safe(b"k" * 32)


def test_a_memo_comes_back_as_it_was() -> None:
    assert SAFE.open_memo(FIRST, SAFE.seal_memo(MEMO)) == MEMO


def test_an_ending_comes_back_as_it_was() -> None:
    assert SAFE.open_ending(FIRST, SAFE.seal_ending(DELIVERY)) == DELIVERY


def test_nothing_personal_and_no_secret_stands_in_the_stored_bytes() -> None:
    stored = SAFE.seal_memo(MEMO) + SAFE.seal_ending(DELIVERY)

    assert b"bob@" not in stored
    assert b"masked" not in stored
    assert b"73" * 32 not in stored


ATTACKS = {
    "a row copied to another ticket": lambda: SAFE.open_memo(SECOND, SAFE.seal_memo(MEMO)),
    "an ending put in a memo's place": lambda: SAFE.open_memo(FIRST, SAFE.seal_ending(DELIVERY)),
    "another device's key": lambda: Safe(b"x" * 32).open_memo(FIRST, SAFE.seal_memo(MEMO)),
    "cut short": lambda: SAFE.open_memo(FIRST, SAFE.seal_memo(MEMO)[:-1]),
    "empty": lambda: SAFE.open_memo(FIRST, b""),
    "one bit": lambda: SAFE.open_memo(FIRST, bytes([SAFE.seal_memo(MEMO)[0] ^ 1]) + b"0" * 40),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_altered_row_does_not_open(attack: Callable[[], object]) -> None:
    with pytest.raises(StoreError):
        attack()


def test_the_same_memo_is_sealed_anew_each_time() -> None:
    assert SAFE.seal_memo(MEMO) != SAFE.seal_memo(replace(MEMO))
