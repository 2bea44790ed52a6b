"""Which clients a fleet has, read from the operator's folder without its secret keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from broker.fleet import invitations
from broker.fleet.access import Member, members
from broker.fleet.errors import NotAFleetError
from broker.fleet.root import read_roster
from broker.wire.certificate import common_name
from broker.wire.errors import KeyFileError
from broker.wire.tls import CERTIFICATE
from broker.wire.topics import DeviceId, FleetId, PoolId, WorkerId

_WORKERS: Final = f"workers/*/{CERTIFICATE}"


def members_of(folder: Path) -> tuple[Member, ...]:
    """All that the broker of a fleet is to know; a revoked device is not among them.

    Raises:
        NotAFleetError: there is no fleet in this folder, or a file of it cannot be used.
    """
    roster = read_roster(folder)
    try:
        workers = sorted(_workers(folder))
    except KeyFileError as error:
        raise NotAFleetError(str(error)) from error
    devices = sorted(name for name, each in roster.devices.items() if not each.revoked)
    invited = [each.opened() for each in invitations.known(folder)]
    return members(
        FleetId(roster.fleet),
        devices=map(DeviceId, devices),
        workers=workers,
        invitations=[(secret.id, secret.password) for secret in invited],
    )


def _workers(folder: Path) -> Iterator[tuple[PoolId, WorkerId]]:
    for path in folder.glob(_WORKERS):
        pool, _, worker = common_name(path).partition(".")
        yield PoolId(pool), WorkerId(worker)
