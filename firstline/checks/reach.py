"""The broker: its name, its port, and what it says to an MQTT CONNECT, in words."""

import os
import socket
from queue import Empty, SimpleQueue

from broker.wire.session import Address, Event, Offline, Online, Session
from firstline.checks.finding import Finding, fail, ok

_REACH_S = 5.0
_UP = "firstline broker up --port {port}"


def finding(name: str, host: str, port: int) -> Finding:
    """Connect as a stranger would, under a name that pushes nobody out."""
    at = f"{host}:{port}"
    try:
        socket.create_connection((host, port), timeout=_REACH_S).close()
    except socket.gaierror:
        return fail(name, f"the name {host} is not known", f"getent hosts {host}")
    except TimeoutError:
        seen = f"{at} does not answer: a firewall, or the wrong address"
        return fail(name, seen, f"ping -c 3 {host}")
    except ConnectionRefusedError:
        return fail(name, f"nothing listens on {at}", _UP.format(port=port))
    except OSError as error:
        return fail(name, f"{at}: {error.strerror}", f"ping -c 3 {host}")
    return _connect(name, host, port)


def _connect(name: str, host: str, port: int) -> Finding:
    heard: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=host, port=port, client_id=f"doctor-{os.urandom(4).hex()}")
    with Session(address, subscriptions=(), sink=heard.put):
        try:
            event = heard.get(timeout=_REACH_S)
        except Empty:
            event = Offline("it takes the connection but does not speak MQTT 5")
    if isinstance(event, Online):
        return ok(name, f"{host}:{port} takes MQTT 5 connections")
    reason = event.reason if isinstance(event, Offline) else "unexpected answer"
    return fail(name, f"{host}:{port}: {reason}", f"mosquitto_sub -h {host} -p {port} -V 5 -t x -d")
