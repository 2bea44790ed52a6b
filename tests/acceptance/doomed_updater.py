"""An updater that ends by SIGKILL at one of its durable steps, alone or with its agent.

    a folder with sitecustomize.py in PYTHONPATH --> every Python the agent starts calls `arm`
    FOLDER/order   {"at": "half a block", "number": 7, "both": false}    read by each updater
    FOLDER/note    what the step was             written just before the end
    FOLDER/log     one line for each block that went to its place in a file, and each finished file

A block that is being written when it ends stays half written. Nothing is replaced: the calls are
the real ones, and somebody counts.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PLACE: Final = "FIRSTLINE_TEST_DOOM"  # names the folder
_UPDATER: Final = "agent.update.child"
_EVENTS: Final = ("os.remove", "os.link", "os.mkdir", "os.rmdir")
_START: Final = "from tests.acceptance.doomed_updater import arm\n\narm()\n"


@dataclass(frozen=True, slots=True)
class End:
    """Where an updater ends."""

    number: int  # of the steps of its life that begin with `at`, counted from 1; 0: it lives
    at: str = ""
    both: bool = False  # its agent ends with it


@dataclass(frozen=True, slots=True)
class Doom:
    """The folder, seen from outside: there is an updater to come that ends at a step."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """What an agent must be started with."""
        hooks = self.folder / "hooks"
        hooks.mkdir(parents=True)
        (hooks / "sitecustomize.py").write_text(_START, encoding="utf-8")
        roots = (str(hooks), str(Path(__file__).parents[2]))
        return {PLACE: str(self.folder), "PYTHONPATH": os.pathsep.join(roots)}

    def order(self, end: End) -> None:
        """Have the next updater end so."""
        self._note.unlink(missing_ok=True)
        begun = self.folder / ".order"
        begun.write_text(json.dumps(asdict(end)), encoding="utf-8")
        begun.rename(self.folder / "order")

    @property
    def _note(self) -> Path:
        return self.folder / "note"

    def fell(self) -> str:
        """At what it ended; empty: not yet."""
        return self._note.read_text(encoding="utf-8") if self._note.exists() else ""

    def log(self) -> list[str]:
        """What was written where, in all lives."""
        path = self.folder / "log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


class _Counter:
    def __init__(self, folder: Path, end: End) -> None:
        self._folder, self._end = folder, end
        self._count = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._log = os.open(folder / "log", flags, 0o600)

    def step(self, what: str, *, half: Callable[[], object] = lambda: None) -> None:
        """One step is about to be taken."""
        self._count += what.startswith(self._end.at)
        if self._count != self._end.number:
            return
        self._count += 1  # the note is a file too
        half()
        begun = self._folder / ".note"
        begun.write_text(what, encoding="utf-8")
        begun.rename(self._folder / "note")
        if self._end.both:
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def done(self, what: str) -> None:
        """A block, or a file, is where it belongs."""
        os.write(self._log, f"{what}\n".encode())


def arm() -> None:
    """Count the durable steps of this process, if it is an updater."""
    place = os.environ.get(PLACE)
    if place is None or sys.orig_argv[-1] != _UPDATER:
        return
    folder = Path(place)
    if (folder / "order").exists():
        _watch(_Counter(folder, End(**json.loads((folder / "order").read_bytes()))))


def _watch(counter: _Counter) -> None:
    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.rename":
            to = Path(str(arguments[1]))
            counter.step(f"rename into {to.parent.name}")
            if to.parent.name == "blocks":
                counter.done(f"{to} whole")
        elif event in _EVENTS:
            counter.step(event)

    write, sync, sync_data = os.pwrite, os.fsync, os.fdatasync

    def write_and_tell(descriptor: int, data: memoryview, at: int) -> int:
        half = memoryview(data)[: len(data) // 2]
        counter.step("half a block", half=lambda: write(descriptor, half, at))
        written = write(descriptor, data, at)
        counter.done(f"{_path_of(descriptor)} {at}")
        return written

    def sync_and_tell(descriptor: int) -> None:
        counter.step(f"sync of {_path_of(descriptor).name}")
        sync(descriptor)

    def sync_data_and_tell(descriptor: int) -> None:
        counter.step("sync of a block")
        sync_data(descriptor)

    os.pwrite, os.fsync, os.fdatasync = write_and_tell, sync_and_tell, sync_data_and_tell  # type: ignore[assignment]
    sys.addaudithook(heard)


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()
