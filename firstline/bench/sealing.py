"""What the seals alone cost on one core: the ceiling of all that is sealed."""

import time
from uuid import uuid4

from broker.wire.credentials import load_device, load_worker
from broker.wire.envelope import (
    Header,
    open_question,
    open_reply,
    parse,
    seal_question,
    seal_reply,
    verify,
)
from broker.wire.keys import signing_key_name, supported_suites
from broker.wire.topics import Route
from cloud_worker.pool_keys import PoolKeys
from firstline.bench.fleet import FleetKeys

_ROUNDS = 500
_BODY = b"x" * 256
_LIFE_S = 60


def seals_per_s(keys: FleetKeys) -> float:
    """Questions with their replies a second: sealed, signed, verified and opened, both ways."""
    device, opened = load_device(keys.device), PoolKeys(load_worker(keys.worker), proof_s=0.0)
    route = Route(device.fleet, device.pool, device.device)
    now_s = int(time.time())
    pool_key = device.bundle.best_key(supported_suites(), now_s)
    public = device.signing_key.public_key()
    header = Header(
        suite=pool_key.suite,
        pool_key=pool_key.name,
        device_key=signing_key_name(public),
        ticket=uuid4(),
        created_s=now_s,
        expires_s=now_s + _LIFE_S,
    )
    started_s = time.perf_counter()
    for _ in range(_ROUNDS):
        wire, ours = seal_question(
            _BODY, route=route, pool_key=pool_key, device_key=device.signing_key, header=header
        )
        body, theirs = open_question(verify(parse(wire), route, public), opened.at(now_s))
        open_reply(seal_reply(body, theirs), ours)
    return _ROUNDS / (time.perf_counter() - started_s)
