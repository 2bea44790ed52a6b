"""Ends a board's look at what is new before each of its durable steps, and keeps what is left.

    python -m tests.attacks.updates.cuts FOLDER

    FOLDER/state --copy--> cut-1 --fork, look, SIGKILL before step 1-->
                           cut-2 ...                                      until a look is finished

A process without threads, so that it can fork; what the broker would bring lies in FOLDER/files.
"""

import os
import shutil
import signal
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from agent.update.line import Heard
from broker.wire import parts
from broker.wire.topics import parse_release_block, parse_release_metadata
from tests.attacks.updates.scene import NEW_S, OLD_S
from tests.releases import DAY_S, GROUP, PACKAGE, Board

KEY = bytes(range(32))
_STEPS = ("os.mkdir", "os.remove", "os.rename")
_MOST = 200


class RetainedLine:
    """A broker that retains what is in a folder."""

    def __init__(self, files: Path) -> None:
        self._files = files
        self._brought: deque[Heard] = deque()

    def watch(self, topics: Sequence[str]) -> None:
        """Bring what there is."""
        for topic in topics:
            name, part = parse_release_metadata(topic) or (parse_release_block(topic) or "", 0)
            path = self._files / name
            if path.exists():
                data = path.read_bytes()
                payload = data if parse_release_block(topic) else parts.split(data)[part]
                self._brought.append(Heard(topic, payload))

    def unwatch(self, topics: Sequence[str]) -> None:
        """Nothing is pushed here."""

    def hear(self, _timeout_s: float) -> Heard | None:
        """The next, without waiting."""
        return self._brought.popleft() if self._brought else None

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Nobody listens."""


def cut_everywhere(folder: Path) -> int:
    """Die before each step; return how many there are."""
    for number in range(1, _MOST):
        state = folder / f"cut-{number}"
        shutil.copytree(folder / "state", state)
        if not _dies(folder, state, number):
            shutil.rmtree(state)
            return number - 1
    raise AssertionError("a look never ends")


def _dies(folder: Path, state: Path, number: int) -> bool:
    child = os.fork()
    if not child:
        _die_at(number, state)
        _look(folder, state)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or not status, "a look failed"
    return os.WIFSIGNALED(status)


def _die_at(number: int, state: Path) -> None:
    left = number

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in _STEPS and str(arguments[0]).startswith(str(state)):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)


def _look(folder: Path, state: Path) -> None:
    made_s = OLD_S - 10 * DAY_S
    board = Board(state, folder / "fleet", clock_s=NEW_S, made_s=made_s, grace_s=0.0, key=KEY)
    with board.trusting(RetainedLine(folder / "files")) as trust:
        trust.refresh()
        trust.rollout(GROUP, PACKAGE)


if __name__ == "__main__":
    print(cut_everywhere(Path(sys.argv[1])))  # noqa: T201 - for who started it
