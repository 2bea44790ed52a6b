"""Makes the golden wire bytes: python -m tests.unit.wire.make_golden

Run it only when the wire contract changes on purpose, which is a new version and not an edit:
the committed bytes stand for every device in the field.
"""

import json
import os
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.wire.envelope import Header, seal_question, seal_reply
from broker.wire.join_code import JoinCode
from broker.wire.joining import Refusal, Welcome, seal_refusal, seal_request, seal_welcome
from broker.wire.keys import (
    PRIVATE_BYTES,
    PoolPublicKey,
    Suite,
    public_bytes,
    signing_key_name,
)
from broker.wire.messages import Answer, Question, dump_question, dump_reply
from broker.wire.payload import Text
from broker.wire.topics import DeviceId, FleetId, PoolId, Route

CODE = "4F7K-9QXM-2B0T-HWZ9"
WELCOME = Welcome(
    fleet="home",
    device="board-1",
    pool="main",
    root="00" * 32,
    bundle="{}",
    authority="a certificate",
    certificate="another",
    port=8883,
)
GOLDEN = Path(__file__).parent / "golden"


def make(suite: Suite) -> dict[str, str]:
    """One exchange with fixed keys, all in hexadecimal."""
    private = os.urandom(PRIVATE_BYTES[suite])
    public = PoolPublicKey.from_bytes(suite, public_bytes(suite, private))
    device = Ed25519PrivateKey.generate()
    header = Header(
        suite=suite,
        pool_key=public.name,
        device_key=signing_key_name(device.public_key()),
        ticket=UUID("0192f0c4-0000-7000-8000-000000000001"),
        created_s=1_700_000_000,
        expires_s=1_700_000_060,
    )
    question = dump_question(Question("home/lighting", Text("dim the lamp of <NAME_1>")))
    wire, key = seal_question(
        question,
        route=Route(FleetId("home"), PoolId("main"), DeviceId("board-1")),
        pool_key=public,
        device_key=device,
        header=header,
    )
    reply = dump_reply(Answer("light_dim", "commands-large 1.0", 0.75))
    return {
        "pool_private": private.hex(),
        "device_public": device.public_key().public_bytes_raw().hex(),
        "question": wire.hex(),
        "reply_secret": key.secret.hex(),
        "reply": seal_reply(reply, key).hex(),
    }


def make_joining() -> dict[str, str]:
    """A request to join and its two answers, all in hexadecimal."""
    secret = JoinCode.parse(CODE).secret(FleetId("home"))
    signing, tls = Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())
    request = seal_request(secret, signing, tls)
    return {
        "signing_public": signing.public_key().public_bytes_raw().hex(),
        "request": request.hex(),
        "welcome": seal_welcome(WELCOME, secret, request).hex(),
        "refusal": seal_refusal(Refusal.USED, secret, request).hex(),
    }


if __name__ == "__main__":
    for each in Suite:
        document = json.dumps(make(each), indent=1)
        (GOLDEN / f"suite-{int(each)}.json").write_text(document + "\n")
    (GOLDEN / "joining.json").write_text(json.dumps(make_joining(), indent=1) + "\n")
