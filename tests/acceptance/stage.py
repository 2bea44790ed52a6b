"""Three real processes: mosquitto, a worker, an agent. Each can be killed and started again."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from broker.wire.session import Address, Event, Received, Session
from firstline.bench.programs import BrokerProgram, Program
from tests.asker import make_fleet

Answer = dict[str, object]


Killable = Program | BrokerProgram


@dataclass(slots=True)
class Stage:
    """The three, and the folders between them."""

    folder: Path
    broker: BrokerProgram
    worker: Program
    agent: Program

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
    broker = BrokerProgram(folder / "broker")
    broker.start()
    port = str(broker.port)
    runs = "tests.acceptance"
    agent = Program(folder / "agent.log", f"{runs}.run_agent", str(folder / "agent"), port)
    worker = Program(
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
