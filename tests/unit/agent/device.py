"""A device without a loop: real pipeline, outbox, keys and masks, a scripted model, a set clock.

device.ask("mail bob@example.org") -> Parcel --carry(cloud)--> device.delivered
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from agent.core.clean import Expectation
from agent.core.find import find
from agent.core.gate import GatePolicy
from agent.core.policy import Fate, MaskRules
from agent.errors import OutputUnavailableError
from agent.masker import Masker
from agent.models.scripted import ScriptedModel
from agent.pipeline import Pipeline
from agent.post import Post
from agent.referee import Referee
from agent.sealer import Sealer
from agent.stages import Delivery, Raw
from agent.store.conversations import Conversations
from agent.store.errors import UnknownTicketError
from agent.store.keyring import Keyring
from agent.store.memo import Safe
from agent.store.outbox import Outbox, Parcel
from agent.store.spending import Spending
from agent.task import Task
from broker.wire.credentials import DeviceCredentials
from broker.wire.errors import WireError
from broker.wire.keys import supported_suites
from broker.wire.payload import PayloadKind
from tests.asker import DOMAIN
from tests.simulator import CloudSimulator

TASK = "home"
PATIENCE_S = 60.0
CONVERSATION_S = 3600.0
RESEND_S = 2.0
FIRST = UUID(int=1)
SECOND = UUID(int=2)


@dataclass(slots=True)
class Clock:
    """A clock that a test moves."""

    now_s: float = field(default_factory=time.time)  # Unix time, seconds

    def __call__(self) -> float:
        return self.now_s


@dataclass(slots=True)
class Shelf:
    """An output that a test can close."""

    taken: list[Delivery] = field(default_factory=list)
    closed: bool = False

    def deliver(self, delivery: Delivery) -> None:
        """Take an answer.

        Raises:
            OutputUnavailableError: the shelf is closed.
        """
        if self.closed:
            raise OutputUnavailableError("the shelf is closed")
        self.taken.append(delivery)


@dataclass(slots=True, kw_only=True)
class Device:
    """One life of a device; `crashed` starts the next."""

    credentials: DeviceCredentials
    file: Path
    outbox: Outbox
    pipeline: Pipeline
    clock: Clock
    shelf: Shelf
    counted: list[str] = field(default_factory=list)  # but what masking did
    masked: list[str] = field(default_factory=list)

    @property
    def delivered(self) -> list[Delivery]:
        """What the output has taken, oldest first."""
        return self.shelf.taken

    def ask(
        self,
        text: str | bytes,
        ticket: UUID = FIRST,
        source: str = "a.txt",
        conversation: str = "",
    ) -> Parcel | None:
        """Put a question in."""
        data = text.encode() if isinstance(text, str) else text
        return self.pipeline.ask(ticket, Raw(TASK, source, data, conversation))

    def escalate(self, text: str | bytes, ticket: UUID = FIRST) -> Parcel:
        """Put a question in that must be escalated."""
        parcel = self.ask(text, ticket)
        assert parcel is not None
        return parcel

    def carry(self, cloud: CloudSimulator, *parcels: Parcel) -> list[type[Exception]]:
        """Bring parcels to the cloud and its replies back; return what was refused here."""
        refused: list[type[Exception]] = []
        for parcel in parcels:
            for reply in cloud.ask(self.pipeline.post.route, parcel.envelope):
                try:
                    self.pipeline.finish(parcel.ticket, reply)
                except (WireError, UnknownTicketError) as error:
                    refused.append(type(error))
        return refused

    def carry_due(self, cloud: CloudSimulator) -> list[type[Exception]]:
        """Carry what is due by the device's clock."""
        return self.carry(cloud, *self.outbox.due(self.clock.now_s))

    def with_task(self, task: Task) -> None:
        """Change the device's only task, as new settings do."""
        self.pipeline = replace(self.pipeline, tasks={task.name: task})

    @property
    def task(self) -> Task:
        """The device's only task."""
        return self.pipeline.tasks[TASK]

    @contextmanager
    def crashed(self) -> Iterator["Device"]:
        """Kill this life: the next one has the files as they lie, and an empty memory."""
        folder = self.file.parent / "next"
        folder.mkdir()
        for file in self.file.parent.glob(f"{self.file.name}*"):
            shutil.copy(file, folder / file.name)
        shelf = Shelf()
        task = replace(self.task, deliver=shelf.deliver)
        with opened(self.credentials, folder / self.file.name, self.clock, shelf, task) as device:
            yield device


def unsure(answer: Callable[[], str] = lambda: "draft") -> ScriptedModel:
    """A model that always wants to ask."""
    return ScriptedModel(lambda _: answer(), chance=0.4)


def sure() -> ScriptedModel:
    """A model that never wants to ask."""
    return ScriptedModel(lambda _: "lights_on", chance=0.99)


def make_task(shelf: Shelf) -> Task:
    """A text task that asks the cloud's echo."""
    return Task(
        name=TASK,
        expect=Expectation(PayloadKind.TEXT),
        rules=MaskRules(),
        model=unsure(),
        domain=DOMAIN,
        gate=GatePolicy(max_error=0.1),
        patience_s=PATIENCE_S,
        provisional=False,
        deliver=shelf.deliver,
    )


@contextmanager
def opened(
    credentials: DeviceCredentials, file: Path, clock: Clock, shelf: Shelf, task: Task
) -> Iterator[Device]:
    """A device with its outbox in `file`."""
    outbox = Outbox(file)
    keyring = Keyring(credentials, suites=supported_suites(), file=file.parent / "bundle.json")
    post = Post(
        sealer=Sealer(credentials=credentials, keyring=keyring, wall_s=clock),
        safe=Safe(credentials.storage_key),
        outbox=outbox,
        now_s=clock,
        resend_s=RESEND_S,
    )
    counted: list[str] = []
    conversations = Conversations(
        file,
        key=credentials.storage_key,
        lifetime_s=CONVERSATION_S,
        now_s=clock,
        count=counted.append,
    )
    masked: list[str] = []

    def count(name: str) -> None:
        (masked if name.partition("_")[0] in set(Fate) else counted).append(name)

    pipeline = Pipeline(
        post=post,
        masker=Masker(find=find, conversations=conversations, count=count),
        referee=Referee(spending=Spending(outbox), count=counted.append),
        tasks={task.name: task},
        now_s=clock,
        count=count,
    )
    try:
        yield Device(
            credentials=credentials,
            file=file,
            outbox=outbox,
            pipeline=pipeline,
            clock=clock,
            shelf=shelf,
            counted=counted,
            masked=masked,
        )
    finally:
        conversations.close()
        outbox.close()
