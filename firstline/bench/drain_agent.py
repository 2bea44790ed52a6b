"""The agent of `bench drain`: all of an agent but its model, its inputs and its output.

    python -m firstline.bench.drain_agent FOLDER PORT QUESTIONS

Prints a line of JSON when all questions are in the outbox, and one when all are settled.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from agent.shell.events import Arrived, Stop
from agent.shell.loop import AgentEvent
from agent.stages import Delivery, Origin
from agent.store.outbox import Outbox
from broker.fleet.mosquitto import LOOPBACK
from broker.wire.credentials import load_device
from firstline.assemble import OUTBOX, AgentParts, agent_loop
from firstline.bench.echo_task import echo_task
from firstline.bench.fleet import ECHO
from firstline.bench.proc import memory_mb, written_bytes

_PATIENCE_S = 86_000.0
_IDLE_S = 1.0
_TEXT = "turn on the lights in the room with the number {} and tell me how warm it is there now"
_AT_ONCE = 64


class FirstSend(Counter[str]):
    """Counters that know when the first question was sent."""

    at_s: float = 0.0
    cpu_s: float = 0.0  # that the process had used by then

    def __setitem__(self, name: str, count: int) -> None:
        if name == "sends" and not self.at_s:
            self.at_s, self.cpu_s = time.monotonic(), time.process_time()
        super().__setitem__(name, count)


@dataclass(slots=True)
class Questions:
    """An input that never has more than a few questions on the way to the outbox."""

    queue: SimpleQueue[AgentEvent]
    count: int
    begun: threading.Event = field(default_factory=threading.Event)
    free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_AT_ONCE))

    def start(self) -> None:
        """See agent.shell.ends.Input."""
        threading.Thread(target=self._put, daemon=True).start()

    def scan(self) -> None:
        """See agent.shell.ends.Input."""

    def stop(self) -> None:
        """See agent.shell.ends.Input."""

    def _put(self) -> None:
        time.sleep(_IDLE_S)
        idle_mb, started_s = memory_mb(os.getpid(), "VmRSS"), time.monotonic()
        for number in range(self.count):
            self.free.acquire()
            data = _TEXT.format(number).encode()
            self.queue.put(
                Arrived(ECHO, f"{number}", "1", partial(_read, data), self.free.release, _raise)
            )
        for _ in range(_AT_ONCE):
            self.free.acquire()
        tell(idle_mb=idle_mb, queued_s=time.monotonic() - started_s)


@dataclass(slots=True)
class Answers:
    """An output that counts."""

    queue: SimpleQueue[AgentEvent]
    count: int
    given: int = 0
    cloud: int = 0

    def deliver(self, delivery: Delivery) -> None:
        """Count it, and stop at the last one."""
        self.given += 1
        self.cloud += delivery.origin is Origin.CLOUD
        if self.given == self.count:
            self.queue.put(Stop())


def main() -> None:
    """Queue, and drain."""
    folder, port, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    answers, counters = Answers(queue, count), FirstSend()
    parts = AgentParts(
        credentials=load_device(folder / "keys"),
        host=LOOPBACK,
        port=port,
        state=folder,
        tasks={ECHO: echo_task(answers.deliver, _PATIENCE_S)},
        queue=queue,
        inputs=[Questions(queue, count)],
        counters=counters,
    )
    with agent_loop(parts) as loop:
        loop.run()
        ended_s, cpu_s = time.monotonic(), time.process_time()
    tell(
        drained_s=ended_s - counters.at_s,
        cpu_s=cpu_s - counters.cpu_s,
        cloud=answers.cloud,
        left=_left(folder),
        most_mb=memory_mb(os.getpid(), "VmHWM"),
        sends=counters["sends"],
        written_bytes=written_bytes(os.getpid()),
    )


def _left(folder: Path) -> int:
    with closing(Outbox(folder / OUTBOX)) as outbox:
        return len(outbox)


def tell(**found: float) -> None:
    """Say it to the bench."""
    with suppress(BrokenPipeError):
        print(json.dumps(found), flush=True)  # noqa: T201 - a program's output


def _read(data: bytes, limit_bytes: int) -> bytes:
    return data[:limit_bytes]


def _raise(error: Exception) -> None:
    raise error


if __name__ == "__main__":
    main()
