"""Three real processes: mosquitto, a worker, an agent. Each can be killed and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.wire.session import Address, Event, Received, Session
from tests.asker import make_fleet

STOP_S = 15.0
Answer = dict[str, object]


class Process:
    """One of our programs, started as often as a test likes."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._command = [sys.executable, "-m", *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as the kernel does when memory runs out: it gets no word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.kills += 1

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        return process.wait(STOP_S)


class BrokerProcess:
    """mosquitto on one port, with one folder, in as many lives as a test likes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._running: AbstractContextManager[RunningBroker] | None = None
        self._pid = 0
        self.kills = 0

    @property
    def port(self) -> int:
        """Where it listens; the same in every life."""
        return self._port

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._running = running_broker(self._folder, port=self._port)
        broker = self._running.__enter__()
        self._port, self._pid = broker.port, broker.pid

    def kill(self) -> None:
        """End it without a word: it loses what it had not saved."""
        if self._running is not None:
            os.kill(self._pid, signal.SIGKILL)
            self.stop()
            self.kills += 1

    def stop(self) -> None:
        """Let it save its state and end."""
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None


Killable = Process | BrokerProcess


@dataclass(slots=True)
class Stage:
    """The three, and the folders between them."""

    folder: Path
    broker: BrokerProcess
    worker: Process
    agent: Process

    @property
    def inbox(self) -> Path:
        return self.folder / "agent" / "inbox"

    def drop(self, name: str, text: str) -> None:
        """Put a question into the folder, as a careful program does."""
        begun = self.inbox / f".{name}"
        begun.write_text(text, encoding="utf-8")
        begun.rename(self.inbox / name)

    def answers(self) -> dict[str, Answer]:
        """The answer files, by the name of their question."""
        folder = self.folder / "agent" / "answers"
        found: dict[str, Answer] = {}
        for path in folder.glob("*.json") if folder.exists() else ():
            answer = json.loads(path.read_text(encoding="utf-8"))
            assert answer["source"] not in found, "two tickets for one question"
            found[answer["source"]] = answer
        return found

    def effects(self) -> dict[str, list[Answer]]:
        """Every answer that was ever given, by the name of its question."""
        effects: dict[str, list[Answer]] = {}
        for line in _lines(self.folder / "agent" / "effects.log"):
            answer = json.loads(line)
            effects.setdefault(answer["source"], []).append(answer)
        return effects

    def work(self) -> list[str]:
        """What the worker's model was asked, as often as it was."""
        return _lines(self.folder / "worker" / "work.log")


@contextmanager
def staged(folder: Path, *, pause_s: float = 0.0) -> Iterator[Stage]:
    """A stage on which nothing runs yet."""
    fleet = make_fleet(folder / "fleet")
    fleet.enroll("board-1")
    for role, keys in (
        ("agent", folder / "fleet/devices/board-1"),
        ("worker", fleet.worker_folder),
    ):
        (folder / role).mkdir()
        (folder / role / "keys").symlink_to(keys)
    (folder / "agent" / "inbox").mkdir()
    broker = BrokerProcess(folder / "broker")
    broker.start()
    port = str(broker.port)
    runs = "tests.acceptance"
    agent = Process(folder / "agent.log", f"{runs}.run_agent", str(folder / "agent"), port)
    worker = Process(
        folder / "worker.log", f"{runs}.run_worker", str(folder / "worker"), port, str(pause_s)
    )
    try:
        yield Stage(folder, broker, worker, agent)
    finally:
        agent.kill()
        worker.kill()
        broker.stop()


@contextmanager
def listening(port: int) -> Iterator[SimpleQueue[Event]]:
    """An eavesdropper on the broker."""
    events: SimpleQueue[Event] = SimpleQueue()
    address = Address(host="127.0.0.1", port=port, client_id="listener")
    with Session(address, subscriptions=["fl/#"], sink=events.put):
        yield events


def heard(events: SimpleQueue[Event], part: str, within_s: float) -> Received:
    """The next message on a topic with `part` in it."""
    give_up_s = time.monotonic() + within_s
    while (left_s := give_up_s - time.monotonic()) > 0:
        try:
            event = events.get(timeout=left_s)
        except Empty:
            break
        if isinstance(event, Received) and part in event.topic and event.payload:
            return event
    raise AssertionError(f"nothing was heard on {part}")


def until(condition: Callable[[], object], within_s: float) -> None:
    """Wait for something."""
    give_up_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up_s, "it did not happen in time"
        time.sleep(0.01)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
