"""Where the operator and a board that joins meet: the fleet's broker, or one without TLS.

with TLS    the operator with its certificate; the board by its code, on a port of its own
plain       whoever reaches the broker
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from broker.fleet.access import joiner_name
from broker.fleet.admission import Outcome
from broker.fleet.authority import OPERATOR_FOLDER
from broker.fleet.certificates import OPERATOR
from broker.fleet.control import bring_into_line
from broker.fleet.members import members_of
from broker.fleet.root import Root
from broker.wire.join_code import JoinSecret
from broker.wire.session import Address
from broker.wire.tls import TlsFiles, Unproven
from broker.wire.topics import DeviceId
from firstline.fleet_broker import broker_of
from firstline.joining.door import Door
from firstline.places import PLAIN_PORT, parse_place

_LOOK_S = 0.5  # how often we look whether to wait on


@dataclass(frozen=True, slots=True)
class Meeting:
    """How the operator gets to the broker, and what a board's keeper types."""

    address: Address
    typed: str  # behind `firstline join CODE`
    tell: Callable[[], object]  # the broker, who is in the fleet and who is invited


@dataclass(slots=True)
class Joined:
    """Who came, and what was turned away."""

    devices: list[DeviceId] = field(default_factory=list)
    seen: Counter[Outcome] = field(default_factory=Counter)


def meeting_at(fleet: Path, plain: str | None) -> Meeting:
    """A broker without TLS, at HOST:PORT; None: the fleet's own.

    Raises:
        CommandError: nothing is known of a broker of the fleet, or this is no place.
    """
    if plain is None:
        return meeting_of(fleet)
    return plain_meeting(*parse_place(plain, PLAIN_PORT))


def meeting_of(fleet: Path) -> Meeting:
    """The fleet's own broker.

    Raises:
        CommandError: nothing is known of one.
    """
    place = broker_of(fleet)
    address = Address(
        host=place.host,
        port=place.port,
        client_id=OPERATOR,
        tls=TlsFiles.of(fleet / OPERATOR_FOLDER),
    )

    def tell() -> object:
        return bring_into_line(fleet, members_of(fleet), host=place.host, port=place.port)

    return Meeting(address, f"--broker {place.host}:{place.join_port}", tell)


def plain_meeting(host: str, port: int) -> Meeting:
    """A broker without TLS, which knows nobody."""
    address = Address(host=host, port=port, client_id=OPERATOR)
    return Meeting(address, f"--broker {host}:{port} --plain", lambda: None)


def board_address(host: str, port: int, secret: JoinSecret) -> Address:
    """How a board gets to a broker that it cannot tell from another yet: see SECURITY.md."""
    name = joiner_name(secret.id)
    return Address(
        host=host,
        port=port,
        client_id=name,
        tls=Unproven(),
        user=name,
        password=secret.password,
    )


def plain_board_address(host: str, port: int, secret: JoinSecret) -> Address:
    """How it gets to a broker without TLS."""
    return Address(host=host, port=port, client_id=joiner_name(secret.id))


def let_in(
    root: Root,
    meeting: Meeting,
    *,
    wait_on: Callable[[Joined], bool],
    told: Callable[[str], None],
) -> Joined:
    """Let boards in while `wait_on` says so; the broker knows each of them when it returns.

    Raises:
        BrokerUnavailableError: it cannot be reached.
        FleetError: a file of the fleet is damaged, or the disk refused.
    """
    joined = Joined()
    while wait_on(joined):
        came: list[DeviceId] = []
        with Door(root, meeting.address, told=told) as door:
            while not came and wait_on(joined):
                came = door.attend(for_s=_LOOK_S)
        joined.seen += door.seen
        joined.devices += (device for device in came if device not in joined.devices)
        if came:
            meeting.tell()  # not before: at the broker there is one operator at a time
    return joined
