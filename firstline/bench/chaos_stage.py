"""The stage of `bench chaos`: a broker, two workers, an agent, and a bad network between them.

inbox --> agent --> proxy --> mosquitto <-- proxy <-- worker-1
  answers <--'                         <-- proxy <-- worker-2
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from broker.fleet.mosquitto import LOOPBACK
from firstline.bench.fleet import make_fleet
from firstline.bench.programs import BrokerProgram, Program
from firstline.bench.set_clock import SetClock
from firstline.bench.tcp_proxy import TcpProxy

_WORKERS = ("worker-1", "worker-2")
_PAUSE_S = 0.002  # of a worker's model


@dataclass(frozen=True, slots=True)
class Actor:
    """One of our programs, with its way to the broker and its clock."""

    program: Program
    link: TcpProxy
    clock: SetClock


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays."""

    folder: Path
    broker: BrokerProgram
    agent: Actor
    workers: tuple[Actor, ...]
    dropped_s: dict[str, float] = field(default_factory=dict)  # name -> monotonic, seconds

    @property
    def actors(self) -> tuple[Actor, ...]:
        """The agent and the workers."""
        return (self.agent, *self.workers)

    @property
    def inbox(self) -> Path:
        """Where questions are dropped."""
        return self.folder / "agent" / "inbox"

    def drop(self, name: str, text: str) -> None:
        """Put a question into the folder, as a careful program does."""
        begun = self.inbox / f".{name}"
        begun.write_text(text, encoding="utf-8")
        self.dropped_s[name] = time.monotonic()
        begun.rename(self.inbox / name)

    def restore(self) -> None:
        """Undo all that was done to links and clocks."""
        for actor in self.actors:
            actor.link.restore()
            actor.clock.set(0.0)


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A stage on which all run."""
    keys = make_fleet(folder / "fleet")
    broker = BrokerProgram(folder / "broker")
    broker.start()
    with ExitStack() as last:
        last.callback(broker.stop)
        actors = []
        for name, key in (("agent", keys.device), *((name, keys.worker) for name in _WORKERS)):
            (folder / name).mkdir()
            (folder / name / "keys").symlink_to(key)
            link = last.enter_context(TcpProxy((LOOPBACK, broker.port)))
            actors.append(Actor(_program(folder, name, link.port), link, _clock(folder / name)))
        (folder / "agent" / "inbox").mkdir()
        stage = Stage(folder, broker, actors[0], tuple(actors[1:]))
        for actor in stage.actors:
            last.callback(actor.program.kill)
            actor.program.start()
        yield stage


def _program(folder: Path, name: str, port: int) -> Program:
    module, *more = ("chaos_agent",) if name == "agent" else ("chaos_worker", str(_PAUSE_S))
    arguments = (f"firstline.bench.{module}", str(folder / name), f"{LOOPBACK}:{port}", *more)
    return Program(folder / f"{name}.log", *arguments)


def _clock(folder: Path) -> SetClock:
    return SetClock(folder / "clock")
