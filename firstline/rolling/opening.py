"""What the commands for releases begin with: who types, whose fleet it is, where its broker is."""

import getpass
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event

from broker.fleet.releases.courses import Course
from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.publish import Filled, fill
from broker.wire.session import Address
from firstline.console import note
from firstline.joining.meeting import meeting_at
from firstline.passphrases import passphrase_of
from firstline.rolling import view
from firstline.rolling.following import bring
from firstline.rolling.progress import blocks_sent
from firstline.rolling.steward import Steward
from firstline.rolling.waiting import wait_for
from firstline.serving import only_one, server_address
from firstline.stopping import on_stop


def steward_of(fleet: Path) -> Steward:
    """The fleet's releases, for the person who types.

    Raises:
        NotAFleetError: there is no fleet, or a file of it cannot be used.
    """
    return Steward(fleet, who=f"{getpass.getuser()}@{socket.gethostname()}")


def address_of(fleet: Path, plain: str | None) -> Address:
    """The operator's connection: to the fleet's own broker, or one without TLS.

    Raises:
        CommandError: nothing is known of a broker, or `plain` is no place.
    """
    return meeting_at(fleet, plain).address


def server_of(
    fleet: Path, plain: str | None, passphrase_file: Path | None
) -> Callable[[], Address]:
    """Who serves the fleet's releases, once that is to be us; its certificate is made then."""
    return partial(
        server_address,
        fleet,
        plain,
        passphrase=partial(passphrase_of, fleet, passphrase_file),
        told=note,
    )


def fill_broker(steward: Steward, address: Address) -> Filled | None:
    """Have the broker hold what boards need, with progress; None: who is connected does it.

    Raises:
        BrokerUnavailableError: it is signed, and the broker does not have all of it.
        FleetError: it does not take us for its operator, or a file is damaged.
    """
    with only_one(steward.releases.folder) as ours:
        if not ours:
            return None
        with Outlet(address) as outlet, blocks_sent() as progress:
            return fill(outlet, steward.releases, progress=progress)


def follow(steward: Steward, course: Course, address: Callable[[], Address]) -> Course:
    """Follow a release to its end, or until Ctrl-C.

    Raises:
        CommandError: it has no good end.
        FleetError: a file is damaged, or the broker does not take us for its operator.
    """
    stop = Event()
    with on_stop(stop.set):
        return wait_for(steward, course, address, stopped=stop.is_set)


def change(
    fleet: Path,
    plain: str | None,
    which: tuple[str | None, str | None],
    do: Callable[[Steward, Course], Course],
) -> tuple[dict[str, object], list[str]]:
    """Do something to the release that is meant, and have the broker know; the result, twice told.

    Raises:
        FleetError: there is no such release, it does not allow this, or it cannot be signed.
        BrokerUnavailableError: it is signed, and the broker does not know yet.
    """
    steward = steward_of(fleet)
    address = address_of(fleet, plain)
    course = do(steward, steward.rollouts.courses.one(*which))
    bring(steward, address)
    boards = steward.boards(course)
    return view.document(course, boards), [view.headline(course, boards), "The broker has it."]
