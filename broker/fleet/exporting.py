"""The folder of who watches a fleet: a certificate that hears presences, and may say nothing.

DIR/exporter/    tls.key tls.pem tls-ca.pem exporter.json    goes to the machine with the monitoring
"""

from pathlib import Path
from typing import Final

from broker.fleet.authority import EXPORTER_FOLDER, write_client
from broker.fleet.certificates import EXPORTER
from broker.fleet.folder import locked, store
from broker.fleet.private import make_private
from broker.fleet.root import Root
from broker.wire.document import Document, Name
from broker.wire.errors import KeyFileError

_CARD: Final = "exporter.json"


class ExporterCard(Document, frozen=True):
    """`exporter.json`: whose folder it is."""

    fleet: Name


def make_exporter(root: Root, *, now_s: float) -> Path:
    """Make the exporter's folder, with new keys if it is there already.

    Raises:
        OSError: the disk refused.
    """
    folder = root.folder / EXPORTER_FOLDER
    with locked(root.folder):
        make_private(folder)
        write_client(root.authority(), folder, EXPORTER, now_s=now_s)
        store(folder / _CARD, ExporterCard(fleet=root.fleet).write())
    return folder


def read_exporter(folder: Path) -> ExporterCard:
    """Whose folder it is.

    Raises:
        KeyFileError: it is no exporter's.
    """
    path = folder / _CARD
    try:
        return ExporterCard.read(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyFileError(f"{path}: {error}. 'firstline fleet exporter' makes it") from None
