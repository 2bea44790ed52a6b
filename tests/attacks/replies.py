"""Attacks on replies, on their way from the worker to the device."""

import time
from dataclasses import replace
from functools import partial
from uuid import uuid4

from broker.wire.envelope import ReplyKey, seal_reply
from broker.wire.messages import Answer, Busy, Refused, Reply, WrongDate, dump_reply
from tests.attacks.actors import HASTY, RESEND_S, Asked
from tests.attacks.attack import Attack
from tests.attacks.hostile import honest
from tests.attacks.mqtt5 import CORRELATION, Publish
from tests.attacks.stage import BOARD, WORKER, Stage, until
from tests.attacks.tampering import Change, flip, lost, on_questions, on_replies, payload, topic

_REFUSED, _REPEATED = "replies_refused", "replies_repeated"
_NOBODYS = ReplyKey(bytes(32), bytes(32))
_MANY = 200


def _changed(change: Change, stage: Stage) -> list[Asked]:
    return stage.attacked(on_replies(change))


def _altered(name: str, tried: str, change: Change, counter: str = _REFUSED) -> Attack:
    return Attack(name, tried, partial(_changed, change), (f"agent.{counter}", "agent.resends"))


def _to(ticket: bytes) -> Change:
    return lambda message: [message.put(CORRELATION, ticket)]


ALTERED = (
    _altered("reply's nonce flipped", "flips one bit", payload(flip(0))),
    _altered("reply's text flipped", "flips one bit", payload(flip(-40))),
    _altered("reply's tag flipped", "flips one bit", payload(flip(-1))),
    _altered("reply cut by a byte", "sends all but the last byte", payload(lambda data: data[:-1])),
    _altered("reply cut to its nonce", "sends 32 bytes", payload(lambda data: data[:32])),
    _altered("reply emptied", "sends no byte at all", payload(lambda _: b"")),
    _altered("reply extended", "adds a byte", payload(lambda data: data + b"\0")),
    _altered("reply oversized", "adds 150,000 bytes", payload(lambda data: data + bytes(150_000))),
    _altered("reply to another ticket", "names a ticket of nobody", _to(uuid4().bytes), _REPEATED),
    _altered(
        "reply without its ticket", "takes the correlation away", lambda m: [m.without(CORRELATION)]
    ),
    _altered("reply with half a ticket", "cuts the correlation", _to(bytes(15))),
    _altered(
        "reply to another topic",
        "brings it where no answer is due",
        topic("fl/v1/home/dev/board-2/answer"),
        "messages_strange",
    ),
)


def _swapped(stage: Stage) -> list[Asked]:
    """Hold two replies, and give each the other's ticket."""
    held: list[Publish] = []

    def swap(message: Publish) -> list[Publish]:
        held.append(message)
        if len(held) < 2:
            return []
        first, second = held
        tickets = first.get(CORRELATION), second.get(CORRELATION)
        return [first.put(CORRELATION, tickets[1]), second.put(CORRELATION, tickets[0])]

    stage.proxy.rule = on_replies(swap, times=2)
    asked = [stage.ask(), stage.ask()]
    stage.delivered(*asked)
    return asked


def _doubled(stage: Stage) -> list[Asked]:
    return stage.attacked(on_replies(lambda message: [message, replace(message, flags=0x0A)]))


def _retained(stage: Stage) -> list[Asked]:
    """Keep an answer, and bring it each time the device connects."""
    tamper = on_replies(lambda message: [message])
    asked = stage.attacked(tamper)
    stage.reconnect()
    stage.proxy.link(BOARD).give(replace(tamper.seen[0], flags=0x03))
    return asked


def _from_a_neighbour(stage: Stage) -> list[Asked]:
    """Give the device the reply to another device's question, under a ticket of its own."""
    with stage.second_worker() as cloud:
        evil = stage.neighbour
        (reply,) = cloud.ask(evil.route, evil.ask().wire)
    return _instead(reply, stage)


def _instead(reply: bytes, stage: Stage) -> list[Asked]:
    return stage.attacked(on_replies(payload(lambda _: reply)))


def _forged(said: Reply, stage: Stage) -> list[Asked]:
    return _instead(seal_reply(dump_reply(said), _NOBODYS), stage)


def _storm(stage: Stage) -> list[Asked]:
    """Two hundred forged busy replies, for a question that waits."""
    stage.proxy.rule = on_replies(lost, times=float("inf"))
    asked, refused = stage.ask(), stage.device.counters[_REFUSED]
    forged = seal_reply(dump_reply(Busy(3600.0)), _NOBODYS)
    for _ in range(_MANY):
        stage.answer(asked, forged)
    until(lambda: stage.device.counters[_REFUSED] > refused)
    stage.proxy.rule = honest
    stage.delivered(asked)
    return [asked]


def _busy_again(stage: Stage) -> list[Asked]:
    """Repeat what a worker that was full has truly said, long after it has room."""
    tamper = on_questions(lost, times=float("inf"))
    stage.proxy.rule = tamper
    asked, told = stage.ask(), stage.device.counters["replies_busy"]
    until(lambda: tamper.seen)
    with stage.second_worker(full=True) as cloud:
        (busy,) = cloud.ask(stage.device.asker.route, tamper.seen[0].payload)
    for _ in range(_MANY):
        stage.answer(asked, busy)
    until(lambda: stage.device.counters["replies_busy"] > told)
    stage.proxy.rule = honest
    stage.delivered(asked)
    return [asked]


def _fed_to_worker(stage: Stage) -> list[Asked]:
    tamper = on_replies(lambda message: [message])
    stage.attacked(tamper)
    ask = stage.device.asker.route.ask.encode()
    stage.proxy.link(WORKER).give(Publish(ask, tamper.seen[0].payload))
    return stage.attacked(honest)


def _dropped(stage: Stage) -> list[Asked]:
    return stage.attacked(on_questions(lost, times=float("inf")), task=HASTY)


def _too_late(stage: Stage) -> list[Asked]:
    """Hold the reply until the device has given up."""
    tamper = on_replies(lost, times=float("inf"))
    asked = stage.attacked(tamper, task=HASTY)
    until(lambda: tamper.seen)  # the worker may be slow, too
    stage.proxy.rule = honest
    stage.proxy.link(BOARD).give(tamper.seen[0])
    return asked


def _slow(stage: Stage) -> list[Asked]:
    """Hold each reply longer than the device waits before it asks again."""

    def late(message: Publish) -> list[Publish]:
        time.sleep(3 * RESEND_S)
        return [message]

    return stage.attacked(on_replies(late))


_AGENT_REFUSED, _AGENT_REPEATED = f"agent.{_REFUSED}", f"agent.{_REPEATED}"

BROUGHT = (
    Attack("replies swapped", "gives two replies each other's ticket", _swapped, (_AGENT_REFUSED,)),
    Attack("reply doubled", "brings a reply twice", _doubled, (_AGENT_REPEATED,)),
    Attack("retained poison: an answer", "keeps an old answer", _retained, (_AGENT_REPEATED,)),
    Attack(
        "another device's reply", "brings it as this one's", _from_a_neighbour, (_AGENT_REFUSED,)
    ),
    Attack(
        "reply fed to the worker", "gives it as a question", _fed_to_worker, ("worker.envelope",)
    ),
    Attack(
        "forged answer",
        "seals one itself",
        partial(_forged, Answer("yes", "evil", 1.0)),
        (_AGENT_REFUSED,),
    ),
    Attack(
        "forged refusal", "seals one itself", partial(_forged, Refused("no")), (_AGENT_REFUSED,)
    ),
    Attack(
        "forged date error", "seals one itself", partial(_forged, WrongDate(0)), (_AGENT_REFUSED,)
    ),
    Attack("forged busy storm", "seals 200 itself", _storm, (_AGENT_REFUSED,)),
    Attack(
        "true busy repeated",
        "repeats a worker's busy 200 times",
        _busy_again,
        ("agent.replies_busy",),
    ),
    Attack("reply after the resend", "holds it for a while", _slow, (_AGENT_REPEATED,)),
    Attack(
        "reply after the deadline",
        "holds it until the device has given up",
        _too_late,
        ("agent.expired", _AGENT_REPEATED),
        alone=True,
    ),
    Attack("everything dropped", "brings no question", _dropped, ("agent.expired",), alone=True),
)

REPLIES = (*ALTERED, *BROUGHT)
