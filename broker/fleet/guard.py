"""A fleet's mosquitto: all that it needs in one folder, written anew from the fleet's own.

    mosquitto.conf  dynamic-security.json  ca.pem  broker.pem  broker.key

The fleet's folder is the truth: what the running broker was told since then is in it as well.
"""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from broker.fleet import authority, dynsec, settings
from broker.fleet.errors import BrokerMissingError, FleetError, NotAFleetError
from broker.fleet.folder import store
from broker.fleet.members import members_of
from broker.fleet.mosquitto import (
    LOOPBACK,
    RunningBroker,
    find_mosquitto,
    free_ports,
    run_as_us,
    serving,
)
from broker.fleet.private import make_private
from broker.fleet.settings import Listeners

ANYWHERE: Final = Listeners(LOOPBACK, 0, 0)
PLUGIN: Final = "mosquitto_dynamic_security.so"
_FOLDERS: Final = ("/usr/lib/*", "/usr/lib", "/usr/local/lib", "/opt/homebrew/lib")


@contextmanager
def guarded_broker(
    fleet: Path, folder: Path, listeners: Listeners = ANYWHERE
) -> Iterator[RunningBroker]:
    """Run a fleet's mosquitto, with TLS and access rules; port 0 takes a free one.

    Raises:
        BrokerMissingError: there is no mosquitto, or not its plugin.
        NotAFleetError: there is no fleet, or it has no certificates for a broker.
        BrokerStartError: it does not start, with its own reason.
    """
    _certificates(fleet)  # a fleet that is not there is told before a port that is taken
    binary, plugin, bind = find_mosquitto(), find_plugin(), listeners.bind
    port, join_port = free_ports(bind, listeners.port, listeners.join_port)
    listeners = Listeners(bind, port, join_port)

    def write() -> Path:
        path = write_guarded(fleet, folder, listeners, plugin=plugin)
        run_as_us(path)
        return path

    with serving(binary, write, bind, [port, join_port]) as pid:
        yield RunningBroker(bind, port, pid, join_port)


def write_guarded(
    fleet: Path, folder: Path, listeners: Listeners, *, plugin: Path, at: Path | None = None
) -> Path:
    """Write the folder of a fleet's broker; `at` is where it will lie, if that is elsewhere.

    Raises:
        NotAFleetError: there is no fleet, or it has no authority for TLS.
        FleetError: the disk refused.
    """
    rules = dynsec.document(members_of(fleet))
    config = settings.guarded(at or folder.resolve(), listeners, plugin)
    path = folder / settings.CONFIG
    try:
        make_private(folder)
        for name, content in _certificates(fleet).items():
            store(folder / name, content)
        store(folder / settings.ACCESS_RULES, rules)
        store(path, config.encode())
    except OSError as error:
        raise FleetError(f"{error.filename}: {error.strerror}") from error
    return path


def has_authority(fleet: Path) -> bool:
    """Whether the fleet in this folder can have a broker with TLS."""
    return (fleet / authority.FOLDER / authority.CA).exists()


def find_plugin() -> Path:
    """Where mosquitto's plugin for access rules is on this machine.

    Raises:
        BrokerMissingError: it is not here.
    """
    for place in _FOLDERS:
        for found in sorted(glob.glob(f"{place}/{PLUGIN}")):  # noqa: PTH207 - absolute patterns
            return Path(found)
    raise BrokerMissingError(
        f"mosquitto's plugin {PLUGIN} is missing: sudo apt-get install --yes mosquitto"
    )


def _certificates(fleet: Path) -> dict[str, bytes]:
    tls = fleet / authority.FOLDER
    names = {
        settings.AUTHORITY: authority.CA,
        settings.CERTIFICATE: authority.BROKER,
        settings.PRIVATE_KEY: authority.BROKER_KEY,
    }
    try:
        return {target: (tls / source).read_bytes() for target, source in names.items()}
    except OSError as error:
        raise NotAFleetError(
            f"{error.filename}: {error.strerror}. This fleet has no certificates for a broker"
        ) from error
