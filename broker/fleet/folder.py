"""The operator's folder: what lies where, and that every change of it is whole or absent.

    DIR/root.key                  the fleet's root: whoever has it can add devices
    DIR/root.pub                  what everybody checks the root's signatures with
    DIR/fleet.json                the fleet's name
    DIR/roster.json               signed: which devices there are
    DIR/tls/  DIR/operator/       certificates: see `authority`
    DIR/invitations/              who may join: see `invitations`
    DIR/pools/<pool>/             a pool's keys: see `handing`
    DIR/workers/<pool>/           copy this folder to a worker
    DIR/devices/<device>/         what is known of a device; with its keys, copy it there

Files are 0600, folders 0700. One command changes a fleet at a time: see `locked`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.fleet.errors import BadNameError, FleetError
from broker.wire.document import Document
from broker.wire.files import write_durably
from broker.wire.topics import NAME_RULE, is_name

ROOT_KEY = "root.key"
FLEET = "fleet.json"
_LOCK = ".lock"


class FleetCard(Document, frozen=True):
    """`fleet.json`: which fleet this folder is."""

    fleet: str


def check_name(what: str, name: str) -> None:
    """Refuse a name that a topic cannot carry.

    Raises:
        BadNameError: see NAME_RULE.
    """
    if not is_name(name):
        raise BadNameError(f"{what} {name!r}: choose a name of {NAME_RULE}")


def store(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, and wait until the disk has it and its name."""
    write_durably(path, content)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other command away from a fleet, and tell an operator why the disk refuses.

    Raises:
        FleetError: the disk refused.
    """
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits; the other command takes milliseconds
            yield
        finally:
            os.close(descriptor)
    except OSError as error:
        where = error.filename2 or error.filename or folder  # of a rename, what it was to be
        raise FleetError(f"{where}: {error.strerror}") from error
