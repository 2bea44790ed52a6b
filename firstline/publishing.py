"""Puts retained messages onto the fleet's broker, and sees that it took them."""

import os
import time
from collections.abc import Iterable
from queue import Empty, SimpleQueue

from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import FAILURE, Acknowledged, Address, Event, Message, Offline, Session
from broker.wire.tls import TlsFiles

_PATIENCE_S = 10.0


def publish(
    host: str, port: int, messages: Iterable[Message], *, tls: TlsFiles | None = None
) -> None:
    """Publish, and wait until the broker has them all.

    Raises:
        BrokerUnavailableError: it is not there, or refuses one.
    """
    events: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=host, port=port, client_id=f"publish-{os.urandom(4).hex()}", tls=tls)
    with Session(address, subscriptions=(), sink=events.put) as session:
        where, give_up_s = f"{host}:{port}", time.monotonic() + _PATIENCE_S
        _next(events, where, give_up_s)
        sent = {session.publish(message): message.topic for message in messages}
        while sent:
            event = _next(events, where, give_up_s)
            if isinstance(event, Acknowledged):
                topic = sent.pop(event.mid, "")
                if event.code >= FAILURE:
                    raise BrokerUnavailableError(f"{where} refuses {topic}, code {event.code:#x}")


def _next(events: "SimpleQueue[Event]", where: str, give_up_s: float) -> Event:
    try:
        event = events.get(timeout=max(0.0, give_up_s - time.monotonic()))
    except Empty:
        raise BrokerUnavailableError(f"{where}: no answer") from None
    if isinstance(event, Offline):
        raise BrokerUnavailableError(f"{where}: {event.reason}")
    return event
