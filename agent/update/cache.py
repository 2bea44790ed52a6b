"""Verified metadata on the board's disk, so that a look at what is new costs two small messages.

    FOLDER/root.signed       see `broker.wire.vouched`
    FOLDER/2.root.json ...   the roots since then
    FOLDER/timestamp.json snapshot.json targets.json rollout.json

    FOLDER/working           where TUF's client works: elsewhere, for it needs links

Each file is whole or absent, and durable when `keep` returns. Nothing rests on it: a file that is
lost or altered is asked for again, and what must not be forgotten stands in the floor.
"""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from broker.wire.files import sweep, write_durably
from broker.wire.vouched import ROOT_FILE

_HISTORY: Final = "root_history"  # where TUF's client has its roots
_ROOTS: Final = "*.root.json"
_LINK: Final = "root.json"
_PREFIX: Final = "firstline-"
_NAME: Final = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_NOTE: Final = "working"  # the name of the client's folder


class Cache:
    """A folder of metadata.

    Args:
        folder: Made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def root(self) -> bytes:
        """The first root as the fleet's root vouched for it; empty: not here."""
        try:
            return (self._folder / ROOT_FILE).read_bytes()
        except OSError:
            return b""

    def keep_root(self, wrapped: bytes) -> None:
        """Begin with this root from now on.

        Raises:
            OSError: the disk refused.
        """
        self._write(ROOT_FILE, wrapped)

    def lay_out(self) -> Path:
        """A folder for TUF's client, with what is kept; `clear` removes it, or the next one does.

        Raises:
            OSError: the disk refused.
        """
        self.clear()
        working = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(self._folder)
        (self._folder / _NOTE).write_text(working.name, encoding="ascii")
        (working / _HISTORY).mkdir()
        for path in self._folder.glob("*.json"):
            place = working / _HISTORY if path.match(_ROOTS) else working
            (place / path.name).write_bytes(path.read_bytes())
        return working

    def clear(self) -> None:
        """Remove the folder of the last client, which may have been killed."""
        try:
            name = (self._folder / _NOTE).read_text(encoding="ascii", errors="replace")
        except OSError:
            return
        if _NAME.fullmatch(name):  # whatever became of the note: nothing else is removed
            shutil.rmtree(Path(tempfile.gettempdir()) / name, ignore_errors=True)

    def keep(self, working: Path) -> None:
        """Keep what TUF's client has verified, but roots.

        Raises:
            OSError: the disk refused.
        """
        for path in working.glob("*.json"):
            if path.name != _LINK:
                self._write(path.name, path.read_bytes())

    def keep_roots(self, working: Path) -> None:
        """Keep the roots that TUF's client has verified.

        Raises:
            OSError: the disk refused.
        """
        for path in (working / _HISTORY).glob(_ROOTS):
            self._write(path.name, path.read_bytes())

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        if not path.exists() or path.read_bytes() != data:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(path, data)
