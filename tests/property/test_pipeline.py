"""Whatever happens to a question on its way: one final answer, and nothing personal leaves.

The device is killed, replies get lost, doubled, altered, late or swapped, workers are busy, inputs
come again, the clock runs: in the end each question has exactly one answer.
"""

import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.stages import Delivery, Origin
from cloud_worker.models import echo
from tests.asker import DOMAIN, make_fleet
from tests.simulator import corrupt, deliver, drop, duplicate, simulated_cloud
from tests.unit.agent.device import PATIENCE_S, Clock, Device, Shelf, make_task, opened

NUMBERS = st.integers(1, 5)
SECONDS = st.sampled_from([1.0, 5.0, PATIENCE_S])


def question(number: int) -> str:
    return f"mail user{number}@example.org"


class PipelineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        fleet = make_fleet(self.folder / "fleet")
        keys = fleet.enroll("board-1").credentials
        self.clock = Clock(time.time())
        self.cloud = self.stack.enter_context(
            simulated_cloud(
                fleet.worker_folder,
                {DOMAIN: echo()},
                store=self.folder / "claims.db",
                now_s=self.clock,
            )
        )
        self.shelf = Shelf()
        (self.folder / "life").mkdir()
        self.device: Device = self.stack.enter_context(
            opened(
                keys,
                self.folder / "life" / "outbox.db",
                self.clock,
                self.shelf,
                make_task(self.shelf),
            )
        )
        self.asked: set[int] = set()
        self.envelopes: list[bytes] = []

    @rule(number=NUMBERS)
    def ask(self, number: int) -> None:
        parcel = self.device.ask(question(number), UUID(int=number))
        assert (parcel is None) == (number in self.asked)
        self.asked.add(number)
        if parcel is not None:
            self.envelopes.append(parcel.envelope)

    @rule(way_back=st.sampled_from([deliver, drop, duplicate, corrupt, None]))
    def carry(self, way_back: object) -> None:
        self.cloud.way_back = way_back if callable(way_back) else self.cloud.hold
        for parcel in self.device.outbox.due(self.clock.now_s + 5.0):
            self.device.carry(self.cloud, parcel)
            self.device.outbox.resend_at([(parcel.ticket, self.clock.now_s + 5.0)])

    @rule(number=NUMBERS)
    def late_and_swapped(self, number: int) -> None:
        for reply in self.cloud.release():
            self.cloud.way_back = lambda _, reply=reply: [reply]  # type: ignore[misc]
            for parcel in self.device.outbox.due(self.clock.now_s + 60.0):
                self.device.carry(self.cloud, replace(parcel, ticket=UUID(int=number)))

    @rule()
    def busy(self) -> None:
        self.cloud.full = not self.cloud.full

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.clock.now_s += seconds
        self.device.pipeline.expire("no answer in time")
        self.device.pipeline.redeliver()

    @rule()
    def output_breaks_or_heals(self) -> None:
        self.shelf.closed = not self.shelf.closed

    @rule()
    def kill(self) -> None:
        shelf, self.shelf = self.shelf, self.device.shelf
        revived = self.stack.enter_context(self.device.crashed())
        revived.shelf.taken.extend(shelf.taken)
        revived.shelf.closed = shelf.closed
        self.device, self.shelf = revived, revived.shelf

    @invariant()
    def no_question_has_two_answers(self) -> None:
        answers: dict[UUID, Delivery] = {}
        for delivery in self.shelf.taken:
            assert answers.setdefault(delivery.ticket, delivery) == delivery
            number = delivery.ticket.int
            cloud = delivery.origin is Origin.CLOUD
            assert delivery.answer == (question(number) if cloud else "draft")

    @invariant()
    def no_question_is_lost(self) -> None:
        answered = {delivery.ticket for delivery in self.shelf.taken}
        assert len(answered) + len(self.device.outbox) >= len(self.asked)

    @invariant()
    def nothing_personal_leaves(self) -> None:
        assert not any(b"example" in envelope for envelope in self.envelopes)

    def teardown(self) -> None:
        with self.stack:
            self.shelf.closed = False
            self.clock.now_s += 2 * PATIENCE_S
            self.device.pipeline.expire("no answer in time")
            self.device.pipeline.redeliver()
            assert {delivery.ticket.int for delivery in self.shelf.taken} == self.asked
            assert len(self.device.outbox) == 0


PipelineMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPipeline = PipelineMachine.TestCase
