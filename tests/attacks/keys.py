"""Attacks on a pool's keys: the bundle on its topic, and a worker's word that a key is gone."""

import json
import time
from collections.abc import Callable
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.epochs import EpochPlan
from broker.wire import bundle
from broker.wire.signed import sign
from broker.wire.stale import sign_stale
from broker.wire.topics import PoolId, pool_keys
from tests.asker import make_fleet
from tests.attacks.actors import HASTY, Asked
from tests.attacks.attack import Attack
from tests.attacks.forgers import sealed_to_a_gone_key
from tests.attacks.hostile import DOWN, honest
from tests.attacks.mqtt5 import Publish
from tests.attacks.stage import BOARD, Stage, until
from tests.attacks.tampering import Tamper, flip, lost, on_replies, payload

_REFUSED = ("agent.bundles_refused",)
Forge = Callable[[Stage], bytes]


def _given(forge: Forge, stage: Stage) -> list[Asked]:
    """Bring the device a bundle; then it asks, and is answered."""
    _give(stage, forge(stage))
    asked = stage.ask()
    stage.delivered(asked)
    return [asked]


def _give(stage: Stage, wrapped: bytes) -> None:
    route = stage.device.asker.route
    topic = pool_keys(route.fleet, route.pool).encode()
    stage.proxy.link(BOARD).give(Publish(topic, wrapped, flags=0x03))


def _forged(stage: Stage) -> bytes:
    """Keys of the attacker's own, in a bundle of a higher version that it signed itself."""
    document = json.loads(json.loads(stage.fleet.bundle())["signed"]) | {"version": 99}
    return sign(bundle.LABEL, json.dumps(document), Ed25519PrivateKey.generate())


def _raised(stage: Stage) -> bytes:
    """The true bundle with a higher version, under the true signature."""
    wrapped = json.loads(stage.fleet.bundle())
    document = json.loads(wrapped["signed"]) | {"version": 99}
    return json.dumps(wrapped | {"signed": json.dumps(document)}).encode()


def _another_fleets(stage: Stage) -> bytes:
    strangers = make_fleet(stage.folder / "other-fleet")
    strangers.enroll(BOARD)
    return strangers.bundle()


def _another_pools(stage: Stage) -> bytes:
    stage.fleet.enroll("board-9", PoolId("other"))
    return (stage.fleet.folder / "pools/other/bundle.json").read_bytes()


def _rolled_back(stage: Stage) -> bytes:
    """The bundle of before a rotation that the device has heard of."""
    old, taken = stage.fleet.bundle(), stage.device.counters["bundles_taken"] + 1
    _give(stage, stage.fleet.rotate(EpochPlan(epochs=5)))
    until(lambda: stage.device.counters["bundles_taken"] >= taken)
    return old


def _roster(stage: Stage) -> bytes:
    return (stage.fleet.folder / "roster.json").read_bytes()


def _frozen(stage: Stage) -> list[Asked]:
    """Have the operator give up every key, and keep that from the device."""
    renewed = stage.fleet.renew()
    deaf = Tamper(BOARD, DOWN, b"/keys", lost, float("inf"))
    until(lambda: _without_the_old_keys(stage))
    asked = stage.attacked(deaf, task=HASTY)
    stage.proxy.rule = honest
    _give(stage, renewed)
    later = stage.ask()
    stage.delivered(later)
    answer = stage.device.deliveries[later.ticket][0].answer
    assert answer == later.true_answer, "the new keys do not help"
    return asked


def _without_the_old_keys(stage: Stage) -> bool:
    """Whether the worker has seen that its keys were given up: it says so of another's question."""
    said = stage.worker.counters["stale"]
    stage.publish(stage.neighbour.route.ask, stage.neighbour.ask().wire)
    stage.delivered(stage.ask(task=HASTY))
    return stage.worker.counters["stale"] > said


def _forged_word(stage: Stage) -> list[Asked]:
    word = sign_stale(int(time.time()), bound=bytes(32), notice_key=Ed25519PrivateKey.generate())
    return stage.attacked(on_replies(payload(lambda _: word)))


def _word_of_another(stage: Stage) -> list[Asked]:
    """Repeat what a worker has truly said, of another question."""
    route, wire = sealed_to_a_gone_key(stage.neighbour)
    with stage.second_worker() as cloud:
        (word,) = cloud.ask(route, wire)
    return stage.attacked(on_replies(payload(lambda _: word)))


def _bundle(name: str, tried: str, forge: Forge) -> Attack:
    return Attack(f"key bundle {name}", tried, partial(_given, forge), _REFUSED)


KEYS = (
    _bundle("forged", "signs keys of its own", _forged),
    _bundle("of a raised version", "raises the true one's version", _raised),
    _bundle("flipped", "flips one bit", lambda stage: flip(40)(stage.fleet.bundle())),
    _bundle("cut", "sends half of it", lambda stage: stage.fleet.bundle()[:99]),
    _bundle("emptied", "takes it away", lambda _: b""),
    _bundle("of another fleet", "brings it as this one's", _another_fleets),
    _bundle("of another pool", "brings it as this one's", _another_pools),
    _bundle("rolled back", "brings the one before", _rolled_back),
    _bundle("that is a roster", "brings what the root signed for another use", _roster),
    Attack(
        "worker's word forged",
        "says itself that the key is gone",
        _forged_word,
        ("agent.replies_refused",),
    ),
    Attack(
        "worker's word of another question",
        "repeats that a key is gone",
        _word_of_another,
        ("agent.replies_refused",),
    ),
    Attack(
        "key bundle frozen",
        "keeps from the device that its keys were given up",
        _frozen,
        ("worker.stale", "agent.replies_refused"),
        alone=True,
    ),
)
