"""Notices edits of a settings file. Watches the folder, since editors replace the file."""

import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileClosedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from agent.shell.events import SettingsChanged


class SettingsWatcher(FileSystemEventHandler):
    """Puts a `SettingsChanged` into the loop's queue after each edit; an input of the loop."""

    def __init__(self, path: Path, *, sink: Callable[[SettingsChanged], None]) -> None:
        self._path, self._sink = path.resolve(), sink
        self._observer = Observer()

    def start(self) -> None:
        """Begin to watch."""
        self._observer.schedule(self, str(self._path.parent))
        self._observer.start()

    def scan(self) -> None:
        """Nothing to look for."""

    def stop(self) -> None:
        """End."""
        self._observer.stop()
        self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """See FileSystemEventHandler."""
        moved = isinstance(event, FileMovedEvent)
        changed = event.dest_path if moved else event.src_path
        written = moved or isinstance(event, FileClosedEvent)
        if written and Path(os.fsdecode(changed)) == self._path:
            self._sink(SettingsChanged())
