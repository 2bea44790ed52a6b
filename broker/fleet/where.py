"""Where a fleet's broker listens, kept beside the fleet's keys for the operator's commands.

DIR/broker.json    written by `firstline broker up` and `firstline broker config`
"""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import store
from broker.wire.document import Document

_FILE: Final = "broker.json"
_Port = Annotated[int, Meta(ge=1, le=65_535)]


class Where(Document, frozen=True):
    """`broker.json`: how the operator reaches the broker."""

    host: str
    port: _Port
    join_port: _Port  # for boards that have no certificate yet


def keep(fleet: Path, where: Where) -> None:
    """Remember where a fleet's broker is.

    Raises:
        OSError: the disk refused.
    """
    store(fleet / _FILE, where.write())


def known(fleet: Path) -> Where | None:
    """Where a fleet's broker is; None: it has none yet.

    Raises:
        NotAFleetError: the file is damaged.
    """
    path = fleet / _FILE
    try:
        return Where.read(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NotAFleetError(f"{path}: {error}. Start or write the broker again") from error
