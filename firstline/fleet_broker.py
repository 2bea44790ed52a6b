"""Tells a fleet's running broker who belongs to it. Who was thrown out is cut off at once."""

from pathlib import Path

from broker.fleet import where
from broker.fleet.control import bring_into_line
from broker.fleet.errors import RulesRefusedError
from broker.fleet.members import members_of
from broker.fleet.where import Where
from broker.wire.errors import BrokerUnavailableError, KeyFileError
from firstline.exits import CommandError, ExitCode

_LATER = "firstline broker rules --fleet {fleet}"


def broker_of(fleet: Path) -> Where:
    """Where a fleet's broker is.

    Raises:
        CommandError: nobody has said so yet.
    """
    found = where.known(fleet)
    if found is None:
        raise CommandError(
            f"nothing is known of a broker of {fleet}",
            ExitCode.USAGE,
            fix=f"firstline broker up --fleet {fleet}",
        )
    return found


def tell_broker(fleet: Path) -> str:
    """Bring a fleet's broker into line if it is known and there; what became of it, in words.

    Raises:
        NotAFleetError: the fleet's folder cannot be used.
    """
    found = where.known(fleet)
    if found is None:
        return "No broker is known of this fleet yet."
    try:
        changes = bring_into_line(fleet, members_of(fleet), host=found.host, port=found.port)
    except (BrokerUnavailableError, RulesRefusedError, KeyFileError) as error:
        return f"The broker does not know yet: {error}. Later: {_LATER.format(fleet=fleet)}"
    return f"The broker knows: {changes}."
