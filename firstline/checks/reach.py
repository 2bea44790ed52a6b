"""The broker: its name, its port, and what it says to an MQTT CONNECT, in words."""

import os
import socket
import time
from contextlib import suppress
from ipaddress import ip_address
from queue import Empty, SimpleQueue

from broker.wire.certificate import end_s
from broker.wire.errors import KeyFileError
from broker.wire.session import Address, Event, Offline, Online, Session
from broker.wire.tls import TlsFiles, client_context, explain
from firstline.checks.finding import Finding, fail, ok, warn
from firstline.dates import day

_REACH_S = 5.0
_REFUSAL_S = 1.0  # TLS 1.3 refuses a client's certificate after the handshake
_SOON_S = 30 * 86_400.0  # an operator has a month to enrol a device again
_UP = "firstline broker up --port {port}"


def finding(name: str, host: str, port: int, tls: TlsFiles | None = None) -> Finding:
    """Connect in a way that pushes nobody out: in the clear, or no further than TLS goes."""
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
    return _connect(name, host, port) if tls is None else _agree(name, host, port, tls)


def _agree(name: str, host: str, port: int, tls: TlsFiles) -> Finding:
    """Agree on TLS and say no more, since our name there may be the running agent's."""
    at = f"{host}:{port}"
    look = f"openssl s_client -connect {at} -CAfile {tls.authority} -tls1_3"
    try:
        with (
            socket.create_connection((host, port), timeout=_REACH_S) as connection,
            client_context(tls).wrap_socket(connection, server_hostname=host) as secured,
        ):
            secured.settimeout(_REFUSAL_S)
            with suppress(TimeoutError):  # it waits for us to speak, as it should
                if not secured.recv(1):
                    return fail(name, f"{at} hung up after TLS was agreed on", look)
    except OSError as error:
        return fail(name, f"{at}: {explain(error)}", look)
    except KeyFileError as error:
        return fail(name, str(error), "firstline fleet enroll DEVICE")
    return _until(name, f"{at} takes TLS 1.3 connections", tls)


def _until(name: str, seen: str, tls: TlsFiles) -> Finding:
    ends_s = end_s(tls.certificate)
    seen += f", and our certificate until {day(ends_s)}"
    if ends_s - time.time() < _SOON_S:
        return warn(
            name, seen, "on a board: firstline renew --settings FILE; a worker needs a new folder"
        )
    return ok(name, seen)


def _connect(name: str, host: str, port: int) -> Finding:
    heard: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=host, port=port, client_id=f"doctor-{os.urandom(4).hex()}")
    with Session(address, subscriptions=(), sink=heard.put):
        try:
            event = heard.get(timeout=_REACH_S)
        except Empty:
            event = Offline("it takes the connection but does not speak MQTT 5")
    if isinstance(event, Online):
        return _in_the_clear(name, host, port)
    reason = event.reason if isinstance(event, Offline) else "unexpected answer"
    return fail(name, f"{host}:{port}: {reason}", f"mosquitto_sub -h {host} -p {port} -V 5 -t x -d")


def _in_the_clear(name: str, host: str, port: int) -> Finding:
    seen = f"{host}:{port} takes MQTT 5 connections"
    if _is_here(host):
        return ok(name, seen)
    seen += ", in the clear: who listens on the way sees who asks when"
    return warn(name, seen, "set tls = true under [broker], and run 'firstline broker up'")


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
