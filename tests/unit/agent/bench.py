"""A loop with real parts behind it: a queue in, a link made of lists."""

from collections import Counter
from dataclasses import dataclass, field
from queue import SimpleQueue
from uuid import UUID

from agent.shell.courier import Courier
from agent.shell.events import Arrived, Stop
from agent.shell.loop import AgentEvent, Loop
from agent.shell.presence import Presence
from agent.store.clock import DeviceClock
from agent.task import Task
from broker.wire.envelope import seal_reply
from broker.wire.errors import BrokerUnavailableError
from broker.wire.messages import Answer, dump_reply
from broker.wire.session import Message, Receipt, Received
from tests.unit.agent.device import RESEND_S, TASK, Device

STATE = "fl/v1/home/dev/board-1/state"


@dataclass(slots=True)
class Link:
    """The fleet's broker, as far as the loop sees it."""

    published: list[Message] = field(default_factory=list)
    acknowledged: list[Receipt] = field(default_factory=list)
    offline: bool = False

    def publish(self, message: Message) -> int:
        if self.offline:
            raise BrokerUnavailableError("offline")
        self.published.append(message)
        return len(self.published)

    def ack(self, receipt: Receipt) -> None:
        self.acknowledged.append(receipt)

    def questions(self) -> list[Message]:
        return [message for message in self.published if "/ask/" in message.topic]


@dataclass(slots=True)
class Source:
    """An input that counts what is done with it."""

    started: int = 0
    scanned: int = 0
    stopped: int = 0

    def start(self) -> None:
        self.started += 1

    def scan(self) -> None:
        self.scanned += 1

    def stop(self) -> None:
        self.stopped += 1


@dataclass(slots=True)
class Bench:
    """A loop, what goes into it, and what comes out."""

    device: Device
    loop: Loop
    queue: SimpleQueue[AgentEvent]
    link: Link
    source: Source
    counters: Counter[str]
    reloaded: list[dict[str, Task] | None] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def arrived(self, text: bytes, source: str = "a.txt", task: str = TASK) -> Arrived:
        return Arrived(
            task,
            source,
            "1",
            lambda limit: text[:limit],
            lambda: self.taken.append(source),
            lambda error: self.refused.append(str(error)),
        )

    def run(self, *events: AgentEvent) -> None:
        """Serve these events and stop."""
        for event in (*events, Stop()):
            self.queue.put(event)
        self.loop._running = True
        self.loop.run()

    def reply(self, message: Message, answer: str) -> Received:
        """A true reply to a question."""
        ticket = UUID(bytes=message.correlation)
        key = self.device.pipeline.post.memo(ticket).reply_key
        sealed = seal_reply(dump_reply(Answer(answer, "large 1", 1.0)), key)
        return self.received(sealed, message.correlation)

    def received(self, payload: bytes, correlation: bytes) -> Received:
        topic = self.device.pipeline.post.route.answer
        return Received(topic, payload, correlation, Receipt(1, 1))


def make_bench(device: Device) -> Bench:
    """A loop that has not run yet."""
    queue: SimpleQueue[AgentEvent] = SimpleQueue()
    link, source = Link(), Source()
    counters: Counter[str] = Counter()
    reloaded: list[dict[str, Task] | None] = []
    courier = Courier(
        route=device.pipeline.post.route,
        outbox=device.outbox,
        publish=link.publish,
        now_s=device.clock,
        resend_s=RESEND_S,
        counters=counters,
    )
    loop = Loop(
        queue=queue,
        pipeline=device.pipeline,
        courier=courier,
        link=link,
        clock=DeviceClock(device.outbox, wall_s=device.clock, steady_s=device.clock),
        presence=Presence(topic=STATE, session=1, about={}, counters=counters),
        inputs=[source],
        reload=lambda: reloaded.pop(0),
        counters=counters,
    )
    return Bench(device, loop, queue, link, source, counters, reloaded)
