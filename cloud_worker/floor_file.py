"""The newest version of a signed document that a worker has seen, kept beside its keys."""

import logging
from pathlib import Path

from broker.wire.document import Document
from broker.wire.errors import KeyFileError
from broker.wire.files import write_durably
from broker.wire.floor import NOTHING_SEEN, Floor

_log = logging.getLogger(__name__)


class _Seen(Document, frozen=True):
    version: int
    digest: str  # hex


class FloorFile:
    """A floor that outlives the process. Workers on one folder share it.

    Args:
        path: The file; made with the first document.

    Raises:
        KeyFileError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.floor = self._read()

    def rise(self, label: str, offered: Floor) -> None:
        """Take a document's version as the least that is taken from now on.

        Raises:
            KeyFileError: it is below the floor, or another document is at the floor.
        """
        self.floor = max(self.floor, self._read(), key=lambda floor: floor.version)
        self.floor.check(label, offered)
        if offered == self.floor:
            return
        self.floor = offered
        seen = _Seen(version=offered.version, digest=offered.digest.hex())
        try:
            write_durably(self._path, seen.write())
        except OSError as error:  # it holds until this process ends
            _log.error("%s: %s: an old %s could come back", self._path, error.strerror, label)

    def _read(self) -> Floor:
        try:
            seen = _Seen.read(self._path.read_bytes())
            return Floor(seen.version, bytes.fromhex(seen.digest))
        except FileNotFoundError:
            return NOTHING_SEEN
        except (OSError, ValueError) as error:
            raise KeyFileError(
                f"{self._path}: {error}. Remove it if you know that the files beside it are new"
            ) from None
