"""What devices say of themselves on the fleet's broker: presences, versions, counters.

Anybody at the broker can write there: what is not of the right form is passed over.
"""

import json
import os
import re
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import (
    Address,
    Event,
    Offline,
    Online,
    Received,
    Session,
    SubscriptionRefused,
)
from broker.wire.tls import TlsFiles
from broker.wire.topics import DeviceId, FleetId, device_state, parse_device_state

_CONNECT_S = 5.0
_NAME = re.compile(r"[\w.+-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Standing:
    """One device as it told of itself last."""

    fleet: str
    device: str
    online: bool
    version: str  # empty where it does not say
    counters: dict[str, int]  # since its start


def listen(
    host: str, port: int, *, wait_s: float, tls: TlsFiles | None = None, fleet: str = "+"
) -> list[Standing]:
    """Hear every device of a fleet, or of all, whose state the broker keeps.

    Raises:
        BrokerUnavailableError: nobody speaks MQTT 5 there, or we may not hear devices.
    """
    heard: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=host, port=port, client_id=f"status-{os.urandom(4).hex()}", tls=tls)
    subscription = device_state(FleetId(fleet), DeviceId("+"))
    found: dict[str, Standing] = {}
    with Session(address, subscriptions=[subscription], sink=heard.put) as session:
        _await_connection(heard, f"{host}:{port}")
        give_up_s = time.monotonic() + wait_s
        while (left_s := give_up_s - time.monotonic()) > 0:
            try:
                event = heard.get(timeout=left_s)
            except Empty:
                break
            if isinstance(event, SubscriptionRefused):
                raise BrokerUnavailableError(f"{host}:{port}: {event}")
            if not isinstance(event, Received):
                continue
            session.ack(event.receipt)  # else the broker stops when so many wait
            if told := read(event.topic, event.payload):
                found[event.topic] = told
    return [found[topic] for topic in sorted(found)]


def read(topic: str, payload: bytes) -> Standing | None:
    """Read one state; None if it is not of the right form."""
    names = parse_device_state(topic)
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if names is None or not isinstance(told, dict):
        return None
    counters = told.get("counters", {})
    return Standing(
        *names,
        online=told.get("online") is True,
        version=_name(told.get("version")),
        counters={
            name: count
            for name, count in (counters.items() if isinstance(counters, dict) else ())
            if _name(name) and type(count) is int
        },
    )


def _name(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def _await_connection(heard: "SimpleQueue[Event]", where: str) -> None:
    give_up_s = time.monotonic() + _CONNECT_S
    reason = "no answer"
    while (left_s := give_up_s - time.monotonic()) > 0:
        try:
            event = heard.get(timeout=left_s)
        except Empty:
            break
        if isinstance(event, Online):
            return
        reason = event.reason if isinstance(event, Offline) else reason
    raise BrokerUnavailableError(f"{where}: {reason}")
