"""The operator's side of renewals: answers the devices whose requests wait at the broker."""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from broker.fleet.renewing import Outcome, renew_device
from broker.fleet.root import Root
from broker.wire import topics
from broker.wire.errors import BrokerUnavailableError
from broker.wire.link import refusal
from broker.wire.session import (
    FAILURE,
    Acknowledged,
    Address,
    Event,
    Message,
    Offline,
    Received,
    Session,
    SubscriptionRefused,
)
from broker.wire.topics import DeviceId

_EXPIRY_S = 30 * 86_400  # of an answer at the broker: the board may come late
_LOOK_S = 0.2  # how often we look whether to stop
_ANY = DeviceId("+")


def grant_all(
    root: Root, address: Address, *, wait_s: float, stopped: Callable[[], bool] = lambda: False
) -> dict[DeviceId, Outcome]:
    """Answer every device that asks within this time; what became of each.

    Raises:
        BrokerUnavailableError: the broker is not there, or does not take us for the operator.
        FleetError: a file of the fleet is damaged, or the disk refused.
    """
    heard: SimpleQueue[Event] = SimpleQueue()
    found: dict[DeviceId, Outcome] = {}
    give_up_s = time.monotonic() + wait_s
    requests = [topics.renewal_request(root.fleet, _ANY)]
    with Session(address, subscriptions=requests, sink=heard.put) as session:
        while (left_s := give_up_s - time.monotonic()) > 0 and not stopped():
            try:
                event = heard.get(timeout=min(left_s, _LOOK_S))
            except Empty:
                continue
            match event:
                case Received(topic=topic, payload=payload, receipt=receipt):
                    session.ack(receipt)
                    device = topics.parse_renewal_request(topic)
                    if device is not None and payload:  # empty: it has its keys
                        found[device] = _answer(root, session, device, payload)
                case Offline(reason):
                    raise BrokerUnavailableError(f"{address.host}:{address.port}: {reason}")
                case SubscriptionRefused() as refused:
                    raise BrokerUnavailableError(f"{address.host}:{address.port}: {refused}")
                case Acknowledged(code=code) if code >= FAILURE:
                    raise BrokerUnavailableError(
                        f"{address.host}:{address.port} takes no answer: {refusal(code)}"
                    )
                case _:
                    pass
    return found


def _answer(root: Root, session: Session, device: DeviceId, request: bytes) -> Outcome:
    made = renew_device(root, device, request, now_s=time.time())
    if made.wire:
        topic = topics.renewal_answer(root.fleet, device)
        session.publish(Message(topic, made.wire, retain=True, expiry_s=_EXPIRY_S))
    return made.outcome
