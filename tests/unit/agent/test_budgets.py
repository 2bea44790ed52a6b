"""A task's cloud budget on a real device: what is withheld, what outlives a crash, what is written.

The scripted model's scores are all the same, so its depth is 0: every question wants to be asked.
"""

from dataclasses import replace
from uuid import UUID

import pytest

from agent.core.budget import Budget, fresh
from agent.core.gate import GatePolicy
from agent.stages import Origin
from tests.simulator import CloudSimulator
from tests.unit.agent.device import TASK, Device, sure
from tests.unit.agent.exchange import QUESTION, expected

SHARE = 0.1
OVERSPENT = "not asked: the cloud budget is spent"


@pytest.fixture
def device(device: Device) -> Device:
    """A device whose task may ask about a tenth of its questions."""
    device.with_task(replace(device.task, gate=GatePolicy(0.1, max_share=SHARE)))
    return device


def flood(device: Device, count: int, start: int = 100) -> list[bool]:
    """Ask so many questions; which of them went out."""
    return [device.ask(QUESTION, UUID(int=start + n)) is not None for n in range(count)]


def left(device: Device) -> Budget:
    return device.pipeline.referee.spending.left(TASK, SHARE)


class TestBudget:
    def test_what_the_budget_refuses_is_answered_here_flagged_and_counted(
        self, device: Device
    ) -> None:
        asked = flood(device, 30)

        assert asked[0]
        refused = asked.count(False)
        assert refused > 10
        assert device.counted == ["gate_over_budget"] * refused
        one = replace(
            expected(Origin.DEGRADED, "draft", OVERSPENT), ticket=device.delivered[0].ticket
        )
        assert device.delivered[0] == replace(one, elapsed_ms=device.delivered[0].elapsed_ms)

    def test_a_killed_agent_has_spent_what_it_asked(self, device: Device) -> None:
        flood(device, 1)
        spent = left(device)

        with device.crashed() as revived:
            assert left(revived) == spent != fresh(SHARE)

    def test_a_killed_agent_forgets_at_most_31_kept_answers(self, device: Device) -> None:
        while device.ask(QUESTION, UUID(int=len(device.delivered) + 500)) is not None:
            pass
        device.with_task(replace(device.task, model=sure()))
        flood(device, 31, start=1000)
        with device.crashed() as revived:
            assert left(revived).level < left(device).level

        flood(device, 1, start=2000)

        folder = device.file.parent / "next"
        folder.rename(device.file.parent / "first")
        with device.crashed() as revived:
            assert left(revived) == left(device)

    def test_an_agent_that_stops_forgets_nothing(self, device: Device) -> None:
        device.with_task(replace(device.task, model=sure()))
        flood(device, 3)

        device.pipeline.referee.spending.save()

        with device.crashed() as revived:
            assert left(revived) == left(device) != fresh(SHARE)

    def test_new_settings_go_on_with_the_old_budget(self, device: Device) -> None:
        flood(device, 5)
        before = left(device)

        device.with_task(replace(device.task, gate=GatePolicy(0.2, max_share=SHARE)))

        assert left(device) == before

    def test_a_question_that_could_not_be_stored_has_spent_nothing(self, device: Device) -> None:
        device.outbox._max_rows = 0

        assert flood(device, 1) == [False]

        assert left(device).tokens == fresh(SHARE).tokens
        assert left(device).level > fresh(SHARE).level
        with device.crashed() as revived:
            assert left(revived) == fresh(SHARE)

    def test_a_disk_that_fills_up_in_between_stores_neither_the_question_nor_the_budget(
        self, device: Device
    ) -> None:
        (pages,) = device.outbox._db.execute("PRAGMA page_count").fetchone()
        device.outbox._db.execute(f"PRAGMA max_page_count = {pages}")

        assert device.ask("lights " * 1000) is None

        assert len(device.outbox) == 0
        with device.crashed() as revived:
            assert left(revived) == fresh(SHARE)

    def test_a_full_disk_does_not_cost_a_kept_answer(self, device: Device) -> None:
        device.with_task(replace(device.task, model=sure()))
        device.outbox._db.execute("PRAGMA query_only = ON")

        flood(device, 32)

        assert [each.origin for each in device.delivered] == [Origin.DEVICE] * 32
        assert device.counted == ["budget_unsaved"]

    def test_a_repeated_input_spends_once(self, device: Device) -> None:
        device.ask(QUESTION)
        spent = left(device)

        device.ask(QUESTION)

        assert left(device) == spent

    def test_without_a_share_nothing_is_written(self, device: Device) -> None:
        device.with_task(replace(device.task, gate=GatePolicy(0.1)))

        flood(device, 40)

        assert device.outbox._db.execute("SELECT count(*) FROM device").fetchone() == (0,)


class TestExploration:
    @pytest.fixture
    def curious(self, device: Device) -> Device:
        """A device that is sure, and asks all the same."""
        gate = GatePolicy(0.1, explore=1.0)
        device.with_task(replace(device.task, gate=gate, model=sure()))
        return device

    def test_a_checked_answer_is_the_clouds_and_counts_as_agreed_or_not(
        self, curious: Device, cloud: CloudSimulator
    ) -> None:
        curious.carry(cloud, curious.escalate("lights_on"))
        curious.carry(cloud, curious.escalate(QUESTION, UUID(int=7)))

        assert [each.origin for each in curious.delivered] == [Origin.CLOUD] * 2
        assert curious.counted == ["gate_explored", "gate_agreed", "gate_explored", "gate_differed"]
        assert curious.pipeline.referee.spending.checks(TASK).count == 2

    def test_without_an_answer_it_is_the_devices_and_not_degraded(self, curious: Device) -> None:
        curious.escalate(QUESTION)
        curious.clock.now_s += 1e3

        curious.pipeline.expire("no worker is listening")

        [delivery] = curious.delivered
        assert (delivery.origin, delivery.confidence) == (Origin.DEVICE, 0.99)
        assert delivery.flags == ("not checked: no worker is listening",)

    def test_a_full_outbox_keeps_the_answer(self, curious: Device) -> None:
        curious.outbox._max_rows = 0

        assert curious.ask(QUESTION) is None

        [delivery] = curious.delivered
        assert delivery.origin is Origin.DEVICE
        assert delivery.flags == ("not checked: the outbox holds its limit of 0 questions",)
        assert "gate_explored" not in curious.counted

    def test_a_killed_agent_still_knows_what_it_only_checks(
        self, curious: Device, cloud: CloudSimulator
    ) -> None:
        parcel = curious.escalate(QUESTION)

        with curious.crashed() as revived:
            revived.carry(cloud, parcel)

            assert revived.counted == ["gate_differed"]

    def test_the_same_questions_are_explored_in_the_next_life(self, curious: Device) -> None:
        some = replace(curious.task, gate=GatePolicy(0.1, explore=0.3))
        curious.with_task(some)
        asked = flood(curious, 40)

        with curious.crashed() as revived:
            revived.outbox._db.execute("DELETE FROM outbox")
            revived.outbox._db.execute("DELETE FROM settled_ring")
            assert flood(revived, 40) == asked
        assert 4 < sum(asked) < 24

    def test_without_a_bound_on_error_checks_are_counted_and_never_alarm(
        self, curious: Device, cloud: CloudSimulator
    ) -> None:
        gate = GatePolicy(None, max_share=1.0, explore=1.0)
        curious.with_task(replace(curious.task, gate=gate, model=sure()))
        curious.pipeline.referee.spending.kept(TASK, Budget(-1.0, 100.0))
        for number in range(12):
            curious.carry(cloud, curious.escalate(QUESTION, UUID(int=number + 50)))

        assert curious.counted.count("gate_differed") == 12
        assert "gate_drift" not in curious.counted

    def test_a_bound_that_cannot_be_kept_any_more_is_counted_at_every_question(
        self, device: Device
    ) -> None:
        device.with_task(replace(device.task, gate=GatePolicy(1e-6), model=sure()))

        assert flood(device, 2) == [True, True]

        assert device.counted == ["gate_infeasible"] * 2

    def test_drift_is_told_once_for_each_episode(
        self, curious: Device, cloud: CloudSimulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(20):
            curious.carry(cloud, curious.escalate(QUESTION, UUID(int=number + 50)))

        assert curious.counted.count("gate_drift") == 1
        [told] = [record for record in caplog.records if "the cloud differs" in record.message]
        assert "from 10 of the last 10 kept answers" in told.message
        with curious.crashed() as revived:
            revived.carry(cloud, revived.escalate(QUESTION, UUID(int=99)))
            assert "gate_drift" not in revived.counted
