"""A broker that lies about connections, subscriptions and what it has taken."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from broker.wire.client import MOST_UNACKNOWLEDGED
from tests.attacks.actors import HASTY, Asked
from tests.attacks.attack import Attack
from tests.attacks.hostile import DOWN, Link, honest
from tests.attacks.mqtt5 import (
    ASSIGNED_CLIENT_ID,
    CONNACK,
    MAXIMUM_PACKET,
    PUBACK,
    RECEIVE_MAXIMUM,
    SERVER_KEEP_ALIVE,
    SUBACK,
    Packet,
    ack_of,
    connack,
    disconnect,
    puback,
    string,
    suback,
)
from tests.attacks.stage import BOARD, WORKER, Stage, until
from tests.attacks.tampering import Tamper, on_questions, on_sent

NOT_AUTHORIZED, NOBODY, TAKEN_OVER = 0x87, 0x10, 0x8E


@dataclass(slots=True)
class Answering:
    """A rule that changes what mosquitto says to the device, for some packets of one kind."""

    kind: int
    change: Callable[[Packet], Iterable[Packet]]
    times: int = 1

    def __call__(self, link: Link, way: str, packet: Packet) -> list[Packet]:
        if way != DOWN or packet.kind != self.kind or BOARD not in link.name or self.times <= 0:
            return [packet]
        self.times -= 1
        return list(self.change(packet))


def _on_connecting(rule: Answering, stage: Stage) -> list[Asked]:
    """Have the device connect under a rule, and ask something."""
    stage.proxy.rule = rule
    stage.reconnect()
    until(lambda: rule.times <= 0)
    asked = stage.ask()
    stage.delivered(asked)
    return [asked]


def _connecting(
    name: str, tried: str, rule: Answering, counter: str = "agent.broker_losses"
) -> Attack:
    return Attack(name, tried, partial(_on_connecting, rule), (counter,))


def _told(*properties: tuple[int, bytes]) -> Answering:
    return Answering(CONNACK, lambda packet: [connack(packet, *properties)])


def _two(number: int) -> bytes:
    return number.to_bytes(2)


CONNECTING = (
    _connecting(
        "connections refused",
        "refuses three of them",
        Answering(CONNACK, lambda packet: [connack(packet, code=NOT_AUTHORIZED)], times=3),
        "agent.broker_failures",
    ),
    _connecting(
        "disconnected again and again",
        "ends three connections at once",
        Answering(CONNACK, lambda packet: [packet, disconnect(TAKEN_OVER)], times=3),
    ),
    _connecting(
        "subscription refused",
        "says that no answer may be heard",
        Answering(SUBACK, lambda packet: [suback(packet, NOT_AUTHORIZED)]),
        "agent.subscriptions_refused",
    ),
    _connecting(
        "CONNACK that is none",
        "says too little",
        Answering(CONNACK, lambda packet: [Packet(packet.first, b"\0")]),
        "agent.packets_malformed",
    ),
    _connecting(
        "receive maximum 0",
        "takes no publish at all",
        _told((RECEIVE_MAXIMUM, _two(0))),
        "agent.packets_malformed",
    ),
    _connecting("receive maximum 65,535", "takes them all", _told((RECEIVE_MAXIMUM, _two(65_535)))),
    _connecting("keep alive 0", "wants no pings", _told((SERVER_KEEP_ALIVE, _two(0)))),
    _connecting("keep alive 65,535", "wants few pings", _told((SERVER_KEEP_ALIVE, _two(65_535)))),
    _connecting("another name", "renames the device", _told((ASSIGNED_CLIENT_ID, string(b"evil")))),
    _connecting(
        "packets of 10 bytes", "takes no longer ones", _told((MAXIMUM_PACKET, (10).to_bytes(4)))
    ),
)


def _acknowledging(change: Callable[[Packet], Iterable[Packet]], stage: Stage) -> list[Asked]:
    return stage.attacked(Answering(PUBACK, change))


def _swallowed(stage: Stage) -> list[Asked]:
    """Acknowledge a question, and bring it to nobody."""

    def rule(link: Link, way: str, packet: Packet) -> list[Packet]:
        kept = on_sent(lambda _: [])
        passed = kept(link, way, packet)
        if kept.seen and not taken:
            taken.append(packet)
            link.send(DOWN, puback(kept.seen[0].mid))
            return passed
        return [packet]

    taken: list[Packet] = []
    return stage.attacked(rule)


ACKNOWLEDGING = (
    Attack(
        "PUBACK without delivery",
        "acknowledges a question, and drops it",
        _swallowed,
        ("agent.resends",),
    ),
    Attack(
        "PUBACK says refused",
        "brings a question, and says that it may not",
        partial(_acknowledging, lambda packet: [puback(ack_of(packet)[0], NOT_AUTHORIZED)]),
        ("agent.refused_by_broker",),
    ),
    Attack(
        "PUBACK says nobody",
        "brings a question, and says that nobody listens",
        partial(_acknowledging, lambda packet: [puback(ack_of(packet)[0], NOBODY)]),
        ("agent.nobody_listened",),
    ),
    Attack(
        "PUBACK withheld",
        "brings a question, and does not say so",
        partial(_acknowledging, lambda _: []),
        ("worker.answered",),
    ),
    Attack(
        "PUBACKs of nothing",
        "acknowledges what was never sent, twice",
        partial(_acknowledging, lambda packet: [puback(64_000), packet, packet]),
        ("worker.answered",),
    ),
)


def _deaf(stage: Stage) -> list[Asked]:
    """Refuse the subscription, and mean it."""
    refuse = Answering(SUBACK, lambda packet: [suback(packet, NOT_AUTHORIZED)])
    drop = Tamper(BOARD, DOWN, b"/answer", lambda _: [], float("inf"))

    def rule(link: Link, way: str, packet: Packet) -> list[Packet]:
        return [sent for kept in refuse(link, way, packet) for sent in drop(link, way, kept)]

    stage.proxy.rule = rule
    stage.reconnect()
    until(lambda: refuse.times <= 0)
    asked = stage.ask(task=HASTY)
    stage.delivered(asked)
    (flag,) = stage.device.deliveries[asked.ticket][0].flags
    assert flag.startswith("the broker brings no answers"), flag
    stage.proxy.rule = Answering(SUBACK, lambda packet: [packet])
    stage.reconnect()
    return [asked]


def _unacknowledged(stage: Stage) -> list[Asked]:
    """Have a worker repeat an answer, and never acknowledge that it did."""
    tamper = on_questions(lambda message: [message])
    asked = stage.attacked(tamper)
    stage.proxy.rule = _no_pubacks
    link, unsent = stage.proxy.link(WORKER), stage.worker.counters["unsent"]
    for _ in range(MOST_UNACKNOWLEDGED + 100):
        link.give(tamper.seen[0])
    until(lambda: stage.worker.counters["unsent"] > unsent)
    stage.proxy.rule = honest
    stage.reconnect(WORKER)
    return asked


def _no_pubacks(link: Link, way: str, packet: Packet) -> list[Packet]:
    return [] if way == DOWN and packet.kind == PUBACK and WORKER in link.name else [packet]


UNACKNOWLEDGED = Attack(
    "worker never acknowledged",
    "has an answer repeated 612 times",
    _unacknowledged,
    ("worker.unsent", "worker.repeated"),
)
DEAF = Attack(
    "deaf",
    "refuses the subscription, and means it",
    _deaf,
    ("agent.subscriptions_refused",),
    alone=True,
)

SESSIONS = (*CONNECTING, *ACKNOWLEDGING, UNACKNOWLEDGED, DEAF)
