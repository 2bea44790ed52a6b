"""Bytes of version 1 that are in the field: they must open, as they did, for ever."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from broker.wire.envelope import Header, ReplyKey, open_question, open_reply, parse, verify
from broker.wire.errors import JoinRefusedError
from broker.wire.join_code import JoinCode
from broker.wire.joining import open_answer, open_request
from broker.wire.keys import PoolPrivateKey, Suite, signing_key_name
from broker.wire.messages import Answer, Question, load_question, load_reply
from broker.wire.payload import Text
from broker.wire.topics import DeviceId, FleetId, PoolId, Route
from tests.unit.wire.make_golden import CODE, WELCOME

ROUTE = Route(FleetId("home"), PoolId("main"), DeviceId("board-1"))
BOTH_SUITES = pytest.mark.parametrize("suite", list(Suite))


def golden(suite: Suite) -> dict[str, bytes]:
    path = Path(__file__).parent / "golden" / f"suite-{int(suite)}.json"
    return {name: bytes.fromhex(value) for name, value in json.loads(path.read_text()).items()}


@BOTH_SUITES
def test_the_golden_question_still_opens(suite: Suite) -> None:
    known = golden(suite)
    pool = PoolPrivateKey.from_bytes(suite, known["pool_private"])
    device = Ed25519PublicKey.from_public_bytes(known["device_public"])

    verified = verify(parse(known["question"]), ROUTE, device)
    body, key = open_question(verified, {pool.name: pool})

    assert verified.header == Header(
        suite=suite,
        pool_key=pool.name,
        device_key=signing_key_name(device),
        ticket=UUID("0192f0c4-0000-7000-8000-000000000001"),
        created_s=1_700_000_000,
        expires_s=1_700_000_060,
    )
    assert load_question(body) == Question("home/lighting", Text("dim the lamp of <NAME_1>"))
    assert key.secret == known["reply_secret"]


@BOTH_SUITES
def test_the_golden_reply_still_opens(suite: Suite) -> None:
    known = golden(suite)
    device = Ed25519PublicKey.from_public_bytes(known["device_public"])
    bound = verify(parse(known["question"]), ROUTE, device).bound

    body = open_reply(known["reply"], ReplyKey(known["reply_secret"], bound))

    assert load_reply(body) == Answer("light_dim", "commands-large 1.0", 0.75)


@BOTH_SUITES
def test_the_golden_question_has_the_size_that_devices_plan_with(suite: Suite) -> None:
    encapsulation_bytes = {Suite.X25519: 32, Suite.XWING: 1120}[suite]

    size = len(golden(suite)["question"])

    assert size == 42 + 64 + encapsulation_bytes + 32 + 264 + 16


def test_the_golden_request_to_join_and_its_answers_still_open() -> None:
    path = Path(__file__).parent / "golden" / "joining.json"
    known = {name: bytes.fromhex(value) for name, value in json.loads(path.read_text()).items()}
    secret = JoinCode.parse(CODE).secret(FleetId("home"))

    request = open_request(known["request"], secret)

    assert request.signing_key == known["signing_public"].hex()
    assert open_answer(known["welcome"], secret, known["request"]) == WELCOME
    with pytest.raises(JoinRefusedError, match="used"):
        open_answer(known["refusal"], secret, known["request"])
