"""Starts what the demo needs: keys, a broker, a worker and an agent, each a real process."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from broker.fleet.keys import enroll, init
from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.wire.session import Address, Event, Received, Session
from broker.wire.topics import DeviceId, FleetId, PoolId
from firstline.demo.problems import DemoError
from firstline.shipped import CONFIGS

FLEET, POOL, DEVICE = FleetId("demo"), PoolId("main"), DeviceId("board-1")
_START_S = 60.0
_STOP_S = 15.0


@dataclass(slots=True)
class Listener:
    """An eavesdropper on the broker: it sees what anyone on the path sees."""

    events: SimpleQueue[Event] = field(default_factory=SimpleQueue)
    sealed_bytes: dict[bytes, int] = field(default_factory=dict)  # ticket -> size of its question
    online: set[str] = field(default_factory=set)  # presence topics

    def listen(self) -> None:
        """Take in what has come."""
        while True:
            try:
                event = self.events.get_nowait()
            except Empty:
                return
            if not isinstance(event, Received):
                continue
            if "/ask/" in event.topic:
                self.sealed_bytes[event.correlation] = len(event.payload)
            elif b'"online": true' in event.payload or b'"online":true' in event.payload:
                self.online.add(event.topic)
            else:
                self.online.discard(event.topic)


@dataclass(slots=True)
class Stage:
    """The running demo."""

    folder: Path
    broker: RunningBroker
    listener: Listener
    worker: subprocess.Popen[bytes]
    agent: subprocess.Popen[bytes]

    @property
    def settings(self) -> Path:
        """The agent's."""
        return self.folder / "agent" / "agent.toml"

    def sealed_bytes(self, ticket: bytes) -> int:
        """How much of a question the eavesdropper saw."""
        self.listener.listen()
        return self.listener.sealed_bytes.get(ticket, 0)

    def stop_worker(self) -> None:
        """Take the cloud away."""
        _stop(self.worker)


@contextmanager
def running_stage(folder: Path) -> Iterator[Stage]:
    """Everything started and connected.

    Raises:
        DemoError: a part did not start.
    """
    init(folder / "fleet", FLEET)
    keys = enroll(folder / "fleet", DEVICE, POOL, now_s=time.time())
    with running_broker(folder / "broker") as broker:
        shutil.copytree(keys.device_folder, folder / "agent" / "keys")
        shutil.copytree(keys.worker_folder, folder / "worker" / "keys")
        for role in ("agent", "worker"):
            text = (CONFIGS / "demo" / f"{role}.toml").read_text(encoding="utf-8")
            settings = text.replace("port = 1883", f"port = {broker.port}")
            (folder / role / f"{role}.toml").write_text(settings, encoding="utf-8")
        with (
            _listening(broker) as listener,
            _process(folder, "worker") as worker,
            _process(folder, "agent") as agent,
        ):
            stage = Stage(folder, broker, listener, worker, agent)
            _wait_online(stage)
            yield stage


@contextmanager
def _listening(broker: RunningBroker) -> Iterator[Listener]:
    listener = Listener()
    address = Address(host=broker.host, port=broker.port, client_id="listener")
    with Session(address, subscriptions=["fl/#"], sink=listener.events.put):
        yield listener


@contextmanager
def _process(folder: Path, role: str) -> Iterator[subprocess.Popen[bytes]]:
    settings = folder / role / f"{role}.toml"
    command: Sequence[str] = [
        sys.executable, "-m", "firstline", role, "run", "--settings", str(settings)
    ]  # fmt: skip
    with (folder / f"{role}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        _stop(process)


def _wait_online(stage: Stage) -> None:
    give_up_s = time.monotonic() + _START_S
    while time.monotonic() < give_up_s:
        stage.listener.listen()
        if len(stage.listener.online) >= 2:  # noqa: PLR2004 - the agent and the worker
            return
        for role, process in (("agent", stage.agent), ("worker", stage.worker)):
            if process.poll() is not None:
                log = (stage.folder / f"{role}.log").read_text(encoding="utf-8", errors="replace")
                raise DemoError(f"the {role} stopped with exit code {process.returncode}:\n{log}")
        time.sleep(0.05)
    raise DemoError(f"the agent and the worker are not online after {_START_S:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
