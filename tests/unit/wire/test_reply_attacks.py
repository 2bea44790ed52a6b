"""Attacks on a reply's envelope. A new bug adds a row first."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from broker.wire.envelope import (
    MAX_WIRE_BYTES,
    ReplyKey,
    open_reply,
    seal_reply,
)
from broker.wire.errors import EnvelopeError
from broker.wire.keys import (
    Suite,
)
from tests.unit.wire.scene import BOTH_SUITES, SCENES, Scene, flipped, make_scene


@BOTH_SUITES
def test_a_reply_opens(scene: Scene) -> None:
    body = open_reply(scene.reply(), scene.reply_key)

    assert body == b"done"


def another_question(scene: Scene) -> ReplyKey:
    return replace(scene.reply_key, bound=os.urandom(32))


REPLY_KEYS: dict[str, Callable[[Scene], ReplyKey]] = {
    "another question's": lambda scene: make_scene(scene.header.suite).reply_key,
    "the same secret, another question": another_question,
    "the same question, another secret": lambda s: replace(s.reply_key, secret=os.urandom(32)),
    "forged without the key": lambda _: ReplyKey(os.urandom(32), os.urandom(32)),
}


@pytest.mark.parametrize("key", REPLY_KEYS.values(), ids=REPLY_KEYS)
@BOTH_SUITES
def test_a_reply_of_another_question_is_refused(
    scene: Scene, key: Callable[[Scene], ReplyKey]
) -> None:
    forged = seal_reply(b"done", key(scene))

    with pytest.raises(EnvelopeError):
        open_reply(forged, scene.reply_key)


REPLY_CUTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "nonce alone": lambda wire: wire[:32],
    "nonce cut": lambda wire: wire[:31],
    "shorter than a tag": lambda wire: wire[:40],
    "last byte missing": lambda wire: wire[:-1],
    "one byte more": lambda wire: wire + b"\0",
    "nonce flipped": lambda wire: flipped(wire, 0),
    "text flipped": lambda wire: flipped(wire, 33),
    "tag flipped": lambda wire: flipped(wire, -1),
    "longer than any envelope": lambda wire: wire.ljust(MAX_WIRE_BYTES + 1, b"\0"),
}


@pytest.mark.parametrize("cut", REPLY_CUTS.values(), ids=REPLY_CUTS)
def test_an_altered_reply_is_refused(cut: Callable[[bytes], bytes]) -> None:
    scene = SCENES[Suite.XWING]

    with pytest.raises(EnvelopeError):
        open_reply(cut(scene.reply()), scene.reply_key)


def test_the_question_itself_is_no_reply() -> None:
    scene = SCENES[Suite.XWING]

    with pytest.raises(EnvelopeError):
        open_reply(scene.wire, scene.reply_key)


def test_two_replies_to_one_question_share_no_bytes() -> None:
    scene = SCENES[Suite.XWING]

    first, second = scene.reply(), scene.reply()

    assert first[:32] != second[:32]
    assert first[32:] != second[32:]


def test_no_secret_is_shown_when_a_value_is_printed() -> None:
    scene = SCENES[Suite.XWING]

    shown = repr((scene.pool, scene.reply_key))

    assert scene.reply_key.secret.hex() not in shown
    assert "secret" not in shown
