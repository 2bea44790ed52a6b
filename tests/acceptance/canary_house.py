"""A house full of canaries: planted values, through the whole product.

    folder, local topic -> agent -> broker (somebody listens to everything) -> worker, and back

The worker repeats what it reads, and notes it: that is the innermost place that a value could
reach. Traffic is sealed on top of that, and so is what lies on the board.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from broker.fleet.mosquitto import LOOPBACK, running_broker
from broker.wire.session import (
    NO_MATCHING_SUBSCRIBERS,
    Acknowledged,
    Address,
    Event,
    Message,
    Online,
    Received,
    Session,
)
from firstline import cli
from firstline.bench.programs import BrokerProgram, Program
from tests.acceptance.canaries import CANARIES, CONVERSATION, DROPPED, PSEUDONYMIZED, sentences
from tests.acceptance.stage import until
from tests.asker import make_fleet
from tests.unit.package.strangers import BROUGHT

WITHIN_S = 60.0
CHANNEL = f"pump of {CANARIES['EMAIL'][0]}"
ASKED, ANSWERED = "board/asked", "board/answered"
SETTINGS = """\
[agent]
resend_s = 0.5
[broker]
port = {port}
[local_broker]
port = {local_port}
"""
TASK = """\
[models.{name}]
package = "{name}"
[[tasks]]
name = "{name}"
model = "{name}"
domain = "{name}"
payload = "{payload}"
max_error = 0.05
patience_s = 600.0
input = {{ {source} }}
output = {{ {target} }}
[tasks.mask]
default = "keep"
fields = {{ serial = "pseudonymize", technician = "drop" }}
{policy}
"""
FOLDERS = ('kind = "folder", path = "{}-in"', 'kind = "folder", path = "{}-out"')
TOPICS = (f'kind = "topic", topic = "{ASKED}"', f'kind = "topic", topic = "{ANSWERED}"')
WINDOW = f"# rate_hz: 1\n{CHANNEL},y\n" + "1,2\n" * 8
RECORD = json.dumps(
    {
        "speed": 80,
        "mode": "on",
        "serial": PSEUDONYMIZED,
        "technician": DROPPED,
        "note": sentences(),
        "readings": {"gateway": CANARIES["IP"][0]},
    }
)


@dataclass(slots=True)
class Trace:
    """What everybody but the asker could see, and what the asker got."""

    traffic: list[bytes] = field(default_factory=list)  # through the fleet's broker
    files: dict[str, bytes] = field(default_factory=dict)  # on the board, the broker, the worker
    answers: dict[str, str] = field(default_factory=dict)
    asked: str = ""  # what the worker's model read

    @property
    def places(self) -> dict[str, bytes]:
        """Everything that is hunted through."""
        return {**self.files, "the broker's traffic": b"\n".join(self.traffic)}


def perform(folder: Path, policy: str = "") -> Trace:
    """Ask by every way, first without a worker, and stop everything."""
    trace = Trace()
    with ExitStack() as last:
        local = last.enter_context(running_broker(folder / "local"))
        stage = last.enter_context(_stage(folder, local.port, policy))
        neighbour = last.enter_context(_connected(local.port, "neighbour", [ANSWERED]))
        sniffer = last.enter_context(_connected(stage.broker.port, "sniffer", ["#"]))
        stage.agent.start()
        agent = folder / "agent"
        until(lambda: all((agent / f"{name}-in").is_dir() for name in ("words", "conv")), WITHIN_S)
        _drop(agent / "words-in", f"{CONVERSATION}~note.txt", sentences())
        _drop(agent / "conv-in", "window.csv", WINDOW)
        neighbour.ask(RECORD)
        until(lambda: len(sniffer.topics("/ask/")) >= 3, WITHIN_S)
        _look(folder, trace, "while it waits")
        stage.worker.start()
        for name in ("words", "conv"):
            trace.answers[name] = _answer(agent / f"{name}-out")
        trace.answers["columns"] = neighbour.answer()
        assert (stage.agent.stop(), stage.worker.stop()) == (0, 0)
        stage.broker.stop()  # it saves what the sniffer has not acknowledged
        _look(folder, trace, "at the end")
        trace.traffic = [each.topic.encode() + b" " + each.payload for each in sniffer.heard()]
    trace.asked = (folder / "worker" / "work.log").read_text(encoding="utf-8")
    return trace


@dataclass(slots=True)
class Stage:
    """The three processes that are hunted through."""

    broker: BrokerProgram
    worker: Program
    agent: Program


@contextmanager
def _stage(folder: Path, local_port: int, policy: str) -> Iterator[Stage]:
    fleet = make_fleet(folder / "fleet")
    fleet.enroll("board-1")
    for role, keys in (
        ("agent", folder / "fleet/devices/board-1"),
        ("worker", fleet.worker_folder),
    ):
        shutil.copytree(keys, folder / role / "keys")
    broker = BrokerProgram(folder / "broker")
    broker.start()
    settings = SETTINGS.format(port=broker.port, local_port=local_port)
    shapes = {
        "words": ("text", "sklearn_text", ()),
        "columns": ("record", "sklearn_columns", ()),
        "conv": ("window", "torch_conv", ("--channel", "x", "--channel", "y")),
    }
    for name, (payload, model, shape) in shapes.items():
        _pack(folder / "agent", name, model, *shape)
        source, target = TOPICS if payload == "record" else (each.format(name) for each in FOLDERS)
        settings += TASK.format(
            name=name, payload=payload, source=source, target=target, policy=policy
        )
    _rename_channel(folder / "agent" / "conv" / "package.toml")
    path = folder / "agent" / "agent.toml"
    path.write_text(settings, encoding="utf-8")
    agent = Program(folder / "agent.log", "firstline", "agent", "run", "--settings", str(path))
    words = (str(folder / "worker"), str(broker.port), "0", *shapes)
    worker = Program(folder / "worker.log", "tests.acceptance.run_worker", *words)
    try:
        yield Stage(broker, worker, agent)
    finally:
        agent.kill()
        worker.kill()
        broker.stop()


def _pack(folder: Path, name: str, model: str, *shape: str) -> None:
    command = ["model", "pack", str(BROUGHT / f"{model}.onnx"), "--name", name, *shape]
    command += ["--rate-hz", "1"] if shape else []
    assert cli.main([*command, "--out", str(folder / name)]) == 0


def _rename_channel(manifest: Path) -> None:
    """Have the task take a channel with a canary in its name; its model then gives no draft."""
    text = manifest.read_text(encoding="utf-8")
    assert '"x"' in text
    manifest.write_text(text.replace('"x"', json.dumps(CHANNEL)), encoding="utf-8")


def _drop(folder: Path, name: str, text: str) -> None:
    (folder / f".{name}").write_text(text, encoding="utf-8")
    (folder / f".{name}").rename(folder / name)


def _answer(folder: Path) -> str:
    until(lambda: list(folder.glob("*.json")), WITHIN_S)
    (path,) = folder.glob("*.json")
    return path.read_text(encoding="utf-8")


def _look(folder: Path, trace: Trace, when: str) -> None:
    """Read every file, but those in which the owner put the values or gets them back."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        is_owners = inside.parts[0] == "local" or any(
            part.endswith(("-in", "-out")) or part == "conv" for part in inside.parts
        )
        if path.is_file() and not is_owners and path.name != "agent.toml":
            with suppress(FileNotFoundError):  # SQLite's journals come and go
                trace.files[f"{inside} {when}"] = path.read_bytes()


class Listener:
    """Somebody at a broker who acknowledges nothing, so that the broker keeps what it sent."""

    def __init__(self, session: Session, events: "SimpleQueue[Event]") -> None:
        self._session, self._events = session, events
        self._heard: list[Received] = []

    def heard(self) -> list[Received]:
        """Every message so far."""
        while True:
            try:
                event = self._events.get_nowait()
            except Empty:
                return self._heard
            if isinstance(event, Received):
                self._heard.append(event)

    def topics(self, part: str) -> set[str]:
        """The tickets of messages on topics with `part` in it."""
        return {each.correlation.hex() for each in self.heard() if part in each.topic}

    def ask(self, record: str) -> None:
        """Ask on the local topic, again until it has a listener."""
        message = Message(ASKED, record.encode(), correlation=b"canary")
        code = NO_MATCHING_SUBSCRIBERS
        while code == NO_MATCHING_SUBSCRIBERS:
            self._session.publish(message)
            while not isinstance(event := self._events.get(timeout=WITHIN_S), Acknowledged):
                pass
            code = event.code

    def answer(self) -> str:
        """The answer on the local topic."""
        until(lambda: any(each.topic == ANSWERED for each in self.heard()), WITHIN_S)
        (answer,) = (each for each in self.heard() if each.topic == ANSWERED)
        return answer.payload.decode()


@contextmanager
def _connected(port: int, name: str, topics: list[str]) -> Iterator[Listener]:
    events: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=LOOPBACK, port=port, client_id=name, session_expiry_s=600)
    with Session(address, subscriptions=topics, sink=events.put) as session:
        assert isinstance(events.get(timeout=WITHIN_S), Online)
        yield Listener(session, events)
