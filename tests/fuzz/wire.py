"""What comes over the wire, from whoever can publish there."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PublicKey,
)

from agent.shell import courier
from broker.wire import bundle, roster
from broker.wire.bundle import KeyBundle
from broker.wire.client import GuardedClient
from broker.wire.envelope import open_question, open_reply, parse, verify
from broker.wire.errors import EnvelopeError, KeyFileError, MessageError, TopicError, WireError
from broker.wire.keys import Suite
from broker.wire.messages import (
    Answer,
    Busy,
    Question,
    Refused,
    WrongDate,
    dump_question,
    dump_reply,
    load_question,
    load_reply,
)
from broker.wire.padding import pad, unpad
from broker.wire.payload import Record, Text, Window
from broker.wire.roster import Roster
from broker.wire.signed import open_signed
from broker.wire.topics import DeviceId, Route, is_worker_of, parse_device_state
from cloud_worker.completions import Prompt, Score, completion, models, refusal
from cloud_worker.errors import UnusableReplyError
from firstline import heard
from tests.asker import make_fleet
from tests.attacks.mqtt5 import (
    CONNACK,
    CORRELATION,
    PINGRESP,
    SUBACK,
    Packet,
    Publish,
    disconnect,
    puback,
)
from tests.fuzz.target import Target
from tests.unit.wire.scene import ROUTE, SCENES

SCENE = SCENES[Suite.XWING]
NOW_S = time.time()
_QUESTIONS = (
    Question("home", Text("mail <EMAIL_1> at noon")),
    Question("home/light", Record({"speed": 80.0, "mode": "on"})),
    Question("engine", Window(bytes(32), ("x", "y"), 10.0)),
)
_REPLIES = (Answer("on", "large 1", 0.9, truncated=True), Busy(2.5), WrongDate(9), Refused("no"))
_COMPLETION = {
    "choices": [
        {
            "finish_reason": "stop",
            "message": {"content": '{"a": 1}'},
            "logprobs": {"content": [{"logprob": -0.1}]},
        }
    ]
}


def _question(data: bytes) -> None:
    open_question(
        verify(parse(data), ROUTE, SCENE.device.public_key()), {SCENE.pool.name: SCENE.pool}
    )


def _signed(label: str, root: Ed25519PublicKey, data: bytes) -> None:
    open_signed(label, data, root)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _topic(data: bytes) -> None:
    text = _text(data)
    is_worker_of(ROUTE, text)
    parse_device_state(text)
    assert Route.parse(text).ask == text


def _presence(data: bytes) -> None:
    courier._says_online(data)
    heard.read("fl/v1/home/dev/board-1/state", data)


def _packets() -> Target:
    """What the broker itself sends: no packet may end paho's network thread."""
    client = GuardedClient(
        "board-1",
        max_packet_bytes=65_536,
        breached=_nothing,
        received=_nothing,
        acknowledged=_nothing,
    )

    def handle(data: bytes) -> None:
        client._in_packet |= {"command": data[0] if data else 0, "packet": bytearray(data[1:])}
        client._packet_handle()

    topic = ROUTE.answer.encode()
    publish = Publish(topic, b"sealed", mid=7).put(CORRELATION, bytes(16)).packet()
    packets = (publish, puback(7), disconnect(0x8E), Packet(CONNACK << 4, bytes(3)))
    more = (Packet(SUBACK << 4, b"\0\1\0\0"), Packet(PINGRESP << 4, b""))
    return Target(handle, (), tuple(bytes([each.first]) + each.body for each in (*packets, *more)))


def _nothing(*_: object) -> None:
    """Whatever is told."""


def _model_server(data: bytes) -> None:
    refusal(400, data)
    prompts = [Prompt(model="m", score=score) for score in Score]
    _either(models, *(partial(_completion, prompt) for prompt in prompts))(data)


def _completion(prompt: Prompt, data: bytes) -> None:
    completion(data, prompt)


def _either(*parsers: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """Have all of them parse the same; it is taken if one takes it."""

    def parse_all(data: bytes) -> None:
        refused: list[Exception] = []
        for each in parsers:
            try:
                each(data)
            except (KeyFileError, UnusableReplyError) as error:
                refused.append(error)
        if len(refused) == len(parsers):
            raise refused[0]

    return parse_all


def wire_targets(folder: Path) -> Mapping[str, Target]:
    """Parsers of what is published, and of what only the root can write but the broker carries."""
    fleet = make_fleet(folder / "fleet")
    fleet.enroll("board-1")
    bundled = (fleet.folder / "devices/board-1/bundle.json").read_bytes()
    listed = (fleet.folder / "roster.json").read_bytes()
    key = bytes.fromhex((fleet.worker_folder / "root.pub").read_text(encoding="ascii"))
    root = Ed25519PublicKey.from_public_bytes(key)
    signed = [json.loads(each)["signed"].encode() for each in (bundled, listed)]

    def key_bundle(data: bytes) -> None:
        parsed = KeyBundle.parse(_text(data))
        parsed.best_key(tuple(Suite), parsed.made_s)
        assert parsed.names()
        parsed.notice.public_bytes_raw()

    def device_list(data: bytes) -> None:
        devices = Roster.parse(_text(data))
        with suppress(EnvelopeError):
            devices.signing_key(DeviceId("board-1"), bytes(8))

    labels = (bundle.LABEL, roster.LABEL)
    signatures = _either(*(partial(_signed, label, root) for label in labels))
    replies = tuple(SCENE.reply(dump_reply(each)) for each in _REPLIES)
    return {
        "question's envelope": Target(_question, (WireError,), (SCENE.wire,)),
        "reply's envelope": Target(
            lambda data: open_reply(data, SCENE.reply_key), (EnvelopeError,), replies
        ),
        "MQTT packet": _packets(),
        "padding": Target(unpad, (EnvelopeError,), (pad(b"hello"), b"\x80", bytes(9))),
        "question": Target(load_question, (MessageError,), tuple(map(dump_question, _QUESTIONS))),
        "reply": Target(load_reply, (MessageError,), tuple(dump_reply(each) for each in _REPLIES)),
        "topic": Target(_topic, (TopicError,), (ROUTE.ask.encode(), ROUTE.answer.encode())),
        "presence": Target(_presence, (), (b'{"session":1,"online":true,"counters":{"asked":7}}',)),
        "key bundle": Target(key_bundle, (KeyFileError,), (signed[0],)),
        "roster": Target(device_list, (KeyFileError,), (signed[1],)),
        "signed document": Target(signatures, (KeyFileError,), (bundled, listed)),
        "model server": Target(
            _model_server,
            (UnusableReplyError,),
            (
                json.dumps(_COMPLETION).encode(),
                b'{"data": [{"id": "m"}]}',
                b"context length is 9 tokens",
            ),
        ),
    }
