"""A watched folder as input, and a folder as output. The only module that imports watchdog.

    inbox/question.txt --read--> taken: the file is removed
                              -> refused: inbox/rejected/question.txt and question.txt.reason

A file counts when its writer has closed it or moved it in. Names that begin with a dot, or end
in `.part` or `.tmp`, are left alone until they are renamed. `anna~2.txt` belongs to the
conversation `anna`: what is before the first ~.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from watchdog.events import FileClosedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers.inotify import InotifyObserver

from agent.core.errors import InputError
from agent.errors import OutputUnavailableError
from agent.shell.events import Arrived, delivery_json
from agent.stages import Delivery
from broker.wire.files import write_whole

REJECTED = "rejected"
CONVERSATION_MARK = "~"
_UNFINISHED = (".part", ".tmp")
_OWN, _GROUP = 0o600, 0o060
_QUIET_S = 1.0  # a scan passes over what was written so lately: its writer may not be done

_log = logging.getLogger(__name__)


class FolderInput:
    """Puts each file of a folder into the loop's queue, also those that were there before.

    Args:
        folder: Made if missing.
        task: The task that its files are for.
        sink: The loop's queue.
    """

    def __init__(self, folder: Path, *, task: str, sink: Callable[[Arrived], None]) -> None:
        self._folder, self._task, self._sink = folder, task, sink
        # Full events, or a file that is moved in from elsewhere looks like one just begun.
        self._observer = InotifyObserver(generate_full_events=True)

    def start(self) -> None:
        """Watch, then look at what lies there already; seeing a file twice does no harm."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._observer.schedule(_Closed(self._arrived), str(self._folder))
        self._observer.start()
        self.scan()

    def scan(self) -> None:
        """Look for files; the kernel drops notices when very many come at once."""
        for path in sorted(self._folder.iterdir()):
            with contextlib.suppress(FileNotFoundError):  # taken in the meantime
                age_s = time.time() - path.stat().st_mtime
                if path.is_file() and not 0 <= age_s < _QUIET_S:
                    self._arrived(path)

    def stop(self) -> None:
        """Stop watching."""
        self._observer.stop()
        self._observer.join()

    def _arrived(self, path: Path) -> None:
        name = path.name
        if path.parent != self._folder or name.startswith(".") or name.endswith(_UNFINISHED):
            return
        with contextlib.suppress(FileNotFoundError):  # taken in the meantime
            file = _File(path, _stamp(path.stat()), again=self._arrived)
            refused = partial(_reject, path)
            arrived = Arrived(self._task, name, file.stamp, file.read, file.take, refused)
            self._sink(replace(arrived, conversation=_conversation(name)))


class FolderOutput:
    """Writes each answer to `<ticket>.json`, so that a repeat overwrites itself.

    Answers hold personal data: they are their owner's, and the group's as far as the folder is.

    Args:
        folder: Made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, delivery: Delivery) -> None:
        """Write the answer, complete or not at all.

        Raises:
            OutputUnavailableError: the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{delivery.ticket}.json"
            group = self._folder.stat().st_mode & _GROUP
            content = (delivery_json(delivery) + "\n").encode()
            write_whole(path, content, mode=_OWN | group)
        except OSError as error:
            raise OutputUnavailableError(f"{self._folder}: {error.strerror}") from error


class _Closed(FileSystemEventHandler):
    def __init__(self, arrived: Callable[[Path], None]) -> None:
        self._arrived = arrived

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileMovedEvent):
            self._arrived(Path(os.fsdecode(event.dest_path)))
        elif isinstance(event, FileClosedEvent):
            self._arrived(Path(os.fsdecode(event.src_path)))


class _File:
    """One file as it was when it was noticed. Another may have its name by now."""

    def __init__(self, path: Path, stamp: str, *, again: Callable[[Path], None]) -> None:
        self.stamp = stamp
        self._path, self._again = path, again
        self._content = b""

    def read(self, limit_bytes: int) -> bytes | None:
        """Read it; None if it has gone, or is not the same any more and was noticed anew.

        Raises:
            InputError: it cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                if _stamp(os.fstat(file.fileno())) != self.stamp:
                    self._again(self._path)
                    return None
                self._content = file.read(limit_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"the file cannot be read: {error.strerror}") from error
        return self._content

    def take(self) -> None:
        """Remove it, unless another question has been put in its place."""
        with contextlib.suppress(FileNotFoundError):
            if self._path.read_bytes() == self._content:
                self._path.unlink()


def _conversation(name: str) -> str:
    conversation, _, rest = name.partition(CONVERSATION_MARK)
    return conversation if rest else ""  # an editor's copy ends with the mark


def _stamp(status: os.stat_result) -> str:
    """Name this state of a file: unlike `mtime`, nobody can set `ctime` back."""
    return f"{status.st_ino}:{status.st_ctime_ns}"


def _reject(path: Path, error: Exception) -> None:
    rejected = path.parent / REJECTED
    rejected.mkdir(exist_ok=True)
    name = path.name
    for number in count(2):  # an earlier one of the same name stays
        if not (rejected / name).exists():
            break
        name = f"{path.stem}-{number}{path.suffix}"
    write_whole(rejected / f"{name}.reason", f"{error}\n".encode())
    path.replace(rejected / name)
    _log.warning("%s was refused, see %s/", name, rejected.name)
