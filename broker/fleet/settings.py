"""What mosquitto is told: a broker for this machine alone, or one for a fleet.

    plain      one listener on the loopback, open to whoever is on this machine
    guarded    mutual TLS for the fleet, one more listener for boards that join, access rules

What each line is there for: broker/README.md, "The broker's settings".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ACCESS_RULES: Final = "dynamic-security.json"
CONFIG: Final = "mosquitto.conf"
AUTHORITY: Final = "ca.pem"
CERTIFICATE: Final = "broker.pem"
PRIVATE_KEY: Final = "broker.key"

_HEAD: Final = "# Written by firstline; changes here are lost.\n"
_BOUNDS: Final = """\
set_tcp_nodelay true
max_inflight_messages 64
max_queued_messages 1000
max_queued_bytes 33554432
max_packet_size 262144
sys_interval 0
persistence true
persistence_location {folder}/
persistence_file broker.db
autosave_interval 60
persistent_client_expiration 14d
connection_messages false
log_dest stderr
log_type error
log_type warning
"""
# No memory_limit with access rules: the plugin of mosquitto 2.0.11 gives back memory that was not
# counted, the count wraps round, and from then on each connection is closed without a word.
_PLAIN: Final = """\
listener {port} {bind}
allow_anonymous true
memory_limit 268435456
"""
_GUARDED: Final = """\
allow_anonymous false
plugin {plugin}
plugin_opt_config_file {folder}/{rules}

listener {port} {bind}
tls_version tlsv1.3
cafile {folder}/{ca}
certfile {folder}/{certificate}
keyfile {folder}/{key}
require_certificate true
use_identity_as_username true
use_username_as_clientid true

listener {join_port} {bind}
tls_version tlsv1.3
certfile {folder}/{certificate}
keyfile {folder}/{key}
use_username_as_clientid true
max_connections 100
"""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Where a guarded broker listens: for the fleet, and for boards that join it."""

    bind: str
    port: int
    join_port: int


def plain(folder: Path, *, port: int, bind: str) -> str:
    """A broker without TLS and access rules, with its state in `folder`."""
    return _HEAD + _PLAIN.format(port=port, bind=bind) + _BOUNDS.format(folder=folder)


def guarded(folder: Path, listeners: Listeners, plugin: Path) -> str:
    """A fleet's broker; its files and its state are in `folder`, on the machine that it runs on."""
    own = _GUARDED.format(
        plugin=plugin,
        folder=folder,
        rules=ACCESS_RULES,
        port=listeners.port,
        join_port=listeners.join_port,
        bind=listeners.bind,
        ca=AUTHORITY,
        certificate=CERTIFICATE,
        key=PRIVATE_KEY,
    )
    return _HEAD + _BOUNDS.format(folder=folder) + "\n" + own
