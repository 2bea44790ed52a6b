"""Who takes part when a board joins: the board, the operator, somebody who listens."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread

from broker.fleet.mosquitto import RunningBroker
from broker.fleet.root import Root
from broker.wire.session import Address, Event, Online, Received, Session
from broker.wire.topics import DeviceId
from firstline.joining.board import Asker
from firstline.joining.door import Door
from firstline.joining.meeting import plain_meeting
from tests.asker import FLEET, POOL, Fleet
from tests.joiner import Joiner

BOARD = DeviceId("board-7")
PATIENCE_S = 60.0


def address(broker: RunningBroker, name: str) -> Address:
    """Where somebody of this name connects."""
    return Address(host=broker.host, port=broker.port, client_id=name)


def place(broker: RunningBroker) -> str:
    """The broker, as a person types it."""
    return f"{broker.host}:{broker.port}"


def to_copy(fleet: Fleet) -> dict[str, object]:
    """What an operator is told to copy once a board is in."""
    return {"worker_folders": [str(fleet.worker_folder)]}


def board_of(joiner: Joiner) -> Asker:
    """The board's side of a joiner."""
    return Asker(fleet=FLEET, secret=joiner.secret, request=joiner.wire, told=lambda _: None)


@contextmanager
def attended(
    root: Root, broker: RunningBroker, told: Callable[[str], None] = lambda _: None
) -> Iterator[Door]:
    """An operator who lets boards in while the block lasts."""
    stopped = Flag()
    with Door(root, plain_meeting(broker.host, broker.port).address, told=told) as door:

        def attend() -> None:
            while not stopped.is_set():
                door.attend(for_s=0.1)

        thread = Thread(target=attend)
        thread.start()
        try:
            yield door
        finally:
            stopped.set()
            thread.join()


@contextmanager
def listening(broker: RunningBroker) -> Iterator[tuple[Session, SimpleQueue[Event]]]:
    """Somebody at the broker who hears everything and may say anything."""
    heard: SimpleQueue[Event] = SimpleQueue()
    with Session(address(broker, "stranger"), subscriptions=["fl/#"], sink=heard.put) as session:
        while not isinstance(heard.get(timeout=PATIENCE_S), Online):
            pass
        yield session, heard


def operator(
    fleet: Fleet, broker: RunningBroker, *words: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    """`firstline fleet ...` in a process of its own, at a broker without TLS."""
    return _command(*words, "--dir", str(fleet.folder), "--plain", place(broker), "--json")


@contextmanager
def _command(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "firstline", "fleet", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def enrolling(fleet: Fleet, broker: RunningBroker) -> AbstractContextManager[subprocess.Popen[str]]:
    """`firstline fleet enroll`, for one board."""
    return operator(fleet, broker, "enroll", BOARD, "--pool", POOL)


def next_message(heard: SimpleQueue[Event]) -> Received:
    """The next message that somebody hears."""
    while True:
        event = heard.get(timeout=PATIENCE_S)
        if isinstance(event, Received):
            return event


def line(process: subprocess.Popen[str]) -> dict[str, object]:
    """The next line of JSON that a command prints."""
    assert process.stdout is not None
    told: dict[str, object] = json.loads(process.stdout.readline())
    return told


def enrolling_at_own_broker(fleet: Fleet) -> AbstractContextManager[subprocess.Popen[str]]:
    """`firstline fleet enroll` at the fleet's own broker."""
    return _command("enroll", BOARD, "--pool", POOL, "--dir", str(fleet.folder), "--json")
