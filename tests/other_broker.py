"""rumqttd, an MQTT 5 broker of another make, as its authors built it; for tests."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iotcore.broker import Broker

from broker.fleet.mosquitto import LOOPBACK, RunningBroker, free_ports

_PATIENCE_S = 60.0
_SETTINGS = """\
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5"
listen = "{bind}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 262144
max_inflight_count = 100
dynamic_filters = true
"""
_TLS = """\
[v5.1.tls]
capath = "{tls}/ca.pem"
certpath = "{tls}/broker.pem"
keypath = "{tls}/broker.key"
"""


@contextmanager
def other_broker(folder: Path, *, fleet: Path | None = None) -> Iterator[RunningBroker]:
    """Run it in a child process; with the certificates of `fleet`, if there is one."""
    (port,) = free_ports(LOOPBACK, 0)
    settings = _SETTINGS.format(bind=LOOPBACK, port=port)
    if fleet is not None:
        settings += _TLS.format(tls=fleet / "tls")
    path = folder / "rumqttd.toml"
    path.write_text(settings, encoding="utf-8")
    with Broker(config_path=str(path)):
        _wait_until_it_answers(port)
        yield RunningBroker(LOOPBACK, port, 0)


def _wait_until_it_answers(port: int) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1.0).close()
        except OSError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.02)
        else:
            return
